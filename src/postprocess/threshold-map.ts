import { z } from 'zod';
import { MASK_SIZE } from '../core/competition.ts';
import { emptyMask, type Mask } from '../core/image.ts';
import { bilinearAxis, mix } from './bilinear.ts';
import { type MemberMap, meanProbability } from './mean-probability.ts';

/** A pixel is inside where its probability is strictly above this; at 1 no pixel could be. */
export const thresholdConfig = z.number().min(0).lt(1).default(0.5);

/**
 * The mask where the weighted mean probability of the members (see meanProbability) is above the threshold, strictly.
 * [size, size]. Throws RangeError where a map has not resolution² values or there is no member.
 */
export function thresholdMap(members: readonly MemberMap[], threshold: number, size = MASK_SIZE): Mask {
  for (const { probabilities, resolution } of members) {
    if (probabilities.length === resolution ** 2) continue;
    throw new RangeError(`A map of side ${resolution} has ${resolution ** 2} values, not ${probabilities.length}.`);
  }
  const [first, ...others] = members;
  if (first === undefined) throw new RangeError('A mask needs at least one member.');
  return others.length === 0 ? thresholdOne(first, threshold, size) : thresholdMean(members, threshold, size);
}

function thresholdMean(members: readonly MemberMap[], threshold: number, size: number): Mask {
  const mask = emptyMask(size);
  const mean = meanProbability(members, size);
  for (let i = 0; i < mean.length; i++) if (mean[i]! > threshold) mask.data[i] = 1;
  return mask;
}

/**
 * The same for one member, without computing what its corners tell: rounding keeps order, so a pixel between four
 * bytes is never below the least or above the greatest of them, and bytes all above the threshold, or all not, decide.
 */
function thresholdOne({ probabilities, resolution }: MemberMap, threshold: number, size: number): Mask {
  const mask = emptyMask(size);
  const least = leastByteAbove(threshold);
  const spans = spansInside(probabilities, resolution, least);
  const { low, high, fraction } = bilinearAxis(resolution, size);
  for (let y = 0; y < size; y++) {
    const above = low[y]! * resolution;
    const below = high[y]! * resolution;
    const down = fraction[y]!;
    const from = firstAtLeast(high, Math.min(spans.from[low[y]!]!, spans.from[high[y]!]!));
    const to = firstAtLeast(low, Math.max(spans.to[low[y]!]!, spans.to[high[y]!]!));
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

/** Of every row of a map, the half-open columns that hold all its bytes of at least `least`; [side, 0) where none is. */
function spansInside(probabilities: Uint8Array, side: number, least: number) {
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
