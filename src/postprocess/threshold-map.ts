import { z } from 'zod';
import { MASK_SIZE } from '../core/competition.ts';
import { emptyMask, type Mask } from '../core/image.ts';
import { type BilinearAxis, bilinearAxis, mix } from './bilinear.ts';
import { type Average, type MemberMap, meanProbability } from './mean-probability.ts';

/** A pixel is inside where its probability is strictly above this; at 1 no pixel could be. */
export const thresholdConfig = z.number().min(0).lt(1).default(0.5);

/**
 * The mask where the weighted mean probability of the members (see meanProbability) is above the threshold, strictly.
 * [size, size]. One member stands for itself, whatever is averaged. Throws RangeError where a map has not resolution² values or there is no member.
 */
export function thresholdMap(
  members: readonly MemberMap[],
  threshold: number,
  size = MASK_SIZE,
  average: Average = 'probabilities',
): Mask {
  for (const { probabilities, resolution } of members) {
    if (probabilities.length === resolution ** 2) continue;
    throw new RangeError(`A map of side ${resolution} has ${resolution ** 2} values, not ${probabilities.length}.`);
  }
  const [first, ...others] = members;
  if (first === undefined) throw new RangeError('A mask needs at least one member.');
  if (others.length > 0 && average !== 'probabilities') return thresholdAny(members, threshold, size, average);
  return others.length === 0 ? thresholdOne(first, threshold, size) : thresholdMean(members, threshold, size);
}

/** By the whole picture of the mean: of logits or votes the bytes alone tell less. */
function thresholdAny(members: readonly MemberMap[], threshold: number, size: number, average: Average): Mask {
  const mask = emptyMask(size);
  const mean = meanProbability(members, size, average);
  for (let i = 0; i < mean.length; i++) if (mean[i]! > threshold) mask.data[i] = 1;
  return mask;
}

/**
 * Without computing what the bytes tell: a mean is above the threshold only where a member is. Rounding may lift the mean of
 * equal values by a last bit, hence the margin.
 */
function thresholdMean(members: readonly MemberMap[], threshold: number, size: number): Mask {
  const mask = emptyMask(size);
  const total = members.reduce((sum, { weight }) => sum + weight, 0);
  const least = leastByteAbove(threshold * (1 - MARGIN));
  const each = members.map(({ probabilities, resolution, weight }) => ({
    ...{ probabilities, resolution, share: weight / total },
    axis: bilinearAxis(resolution, size),
    spans: spansInside(probabilities, resolution, least),
  }));
  const sums = new Float64Array(size);
  for (let y = 0; y < size; y++) {
    const columns = each.map(({ axis, spans }) => columnsOf(axis, spans, y));
    const from = Math.min(...columns.map((span) => span.from));
    const to = Math.max(...columns.map((span) => span.to));
    if (from >= to) continue;
    sums.fill(0, from, to);
    for (const { probabilities, resolution, share, axis } of each) {
      const { low, high, fraction } = axis;
      const above = low[y]! * resolution;
      const below = high[y]! * resolution;
      const down = fraction[y]!;
      for (let x = from; x < to; x++) {
        const [left, right, along] = [low[x]!, high[x]!, fraction[x]!];
        const upper = mix(probabilities[above + left]!, probabilities[above + right]!, along);
        const lower = mix(probabilities[below + left]!, probabilities[below + right]!, along);
        sums[x] = sums[x]! + share * mix(upper, lower, down);
      }
    }
    for (let x = from; x < to; x++) if (sums[x]! / 255 > threshold) mask.data[y * size + x] = 1;
  }
  return mask;
}

const MARGIN = 1e-9;

/** The half-open columns of a row of the larger grid between whose bytes one of a span is. */
function columnsOf({ low, high }: BilinearAxis, spans: Spans, y: number): { from: number; to: number } {
  return {
    from: firstAtLeast(high, Math.min(spans.from[low[y]!]!, spans.from[high[y]!]!)),
    to: firstAtLeast(low, Math.max(spans.to[low[y]!]!, spans.to[high[y]!]!)),
  };
}

/**
 * The same for one member, without computing what its corners tell: rounding keeps order, so a pixel between four
 * bytes is never below the least or above the greatest of them, and bytes all above the threshold, or all not, decide.
 */
function thresholdOne({ probabilities, resolution }: MemberMap, threshold: number, size: number): Mask {
  const mask = emptyMask(size);
  const least = leastByteAbove(threshold);
  const spans = spansInside(probabilities, resolution, least);
  const axis = bilinearAxis(resolution, size);
  const { low, high, fraction } = axis;
  for (let y = 0; y < size; y++) {
    const above = low[y]! * resolution;
    const below = high[y]! * resolution;
    const down = fraction[y]!;
    const { from, to } = columnsOf(axis, spans, y);
    for (let x = from; x < to; x++) {
      const a = probabilities[above + low[x]!]!;
      const b = probabilities[above + high[x]!]!;
      const c = probabilities[below + low[x]!]!;
      const d = probabilities[below + high[x]!]!;
      if (a < least && b < least && c < least && d < least) continue;
      const allInside = a >= least && b >= least && c >= least && d >= least;
      const right = fraction[x]!;
      if (allInside || mix(mix(a, b, right), mix(c, d, right), down) / 255 > threshold) mask.data[y * size + x] = 1;
    }
  }
  return mask;
}

/** The least stored value that is a probability above the threshold; 256 where none is. */
function leastByteAbove(threshold: number): number {
  let byte = 0;
  while (byte < 256 && byte / 255 <= threshold) byte++;
  return byte;
}

/** Half-open columns of every row. */
interface Spans {
  from: Int32Array;
  to: Int32Array;
}

/** Of every row of a map, the columns that hold all its bytes of at least `least`; [side, 0) where none is. */
function spansInside(probabilities: Uint8Array, side: number, least: number): Spans {
  const from = new Int32Array(side).fill(side);
  const to = new Int32Array(side);
  for (let row = 0; row < side; row++) {
    const start = row * side;
    let first = start;
    while (first < start + side && probabilities[first]! < least) first++;
    if (first === start + side) continue;
    let last = start + side - 1;
    while (probabilities[last]! < least) last--;
    from[row] = first - start;
    to[row] = last + 1 - start;
  }
  return { from, to };
}

/** The first place of an ascending list whose value is at least `wanted`; its length where there is none. */
function firstAtLeast(ascending: Int32Array, wanted: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < wanted) low = middle + 1;
    else high = middle;
  }
  return low;
}
