import { z } from 'zod';
import { bilinearAxis, mix, widenRow } from './bilinear.ts';

/**
 * How members are put together: the weighted mean of their probabilities; of their logits, so that one that is sure counts more; or the
 * weighted share of members above 0.5.
 */
export const averageConfig = z.enum(['probabilities', 'logits', 'vote']).default('probabilities');
export type Average = z.infer<typeof averageConfig>;

/** A stored 0 or 255 stands for what rounds to it: its logit is of the middle of that. */
const EDGE = 0.25 / 255;

/** One member's probabilities of an image. */
export interface MemberMap {
  /** round(255·p), [resolution, resolution] row-major. */
  probabilities: Uint8Array;
  /** Side in pixels. */
  resolution: number;
  /** Its share in the mean, more than 0; only the proportions of the members' weights count. */
  weight: number;
}

/**
 * The weighted mean over members of their probabilities, each first brought to size² by bilinear interpolation with
 * half-pixel centres: [size, size] row-major, in [0, 1]. In float64; one member's weight changes nothing.
 * @param average what is averaged; probabilities when left out
 */
export function meanProbability(members: readonly MemberMap[], size: number, average?: Average): Float64Array {
  return averageMaps(
    members.map((member) => widenMap(member, size)),
    members.map(({ weight }) => weight),
    undefined,
    average,
  );
}

/**
 * A member's bytes at every pixel of size²: [size, size] row-major, 0 to 255.
 * @param wide its memory; new memory when left out
 */
export function widenMap(
  { probabilities, resolution }: Omit<MemberMap, 'weight'>,
  size: number,
  wide = new Float64Array(size * size),
): Float64Array {
  const axis = bilinearAxis(resolution, size);
  const { low, high, fraction } = axis;
  const widen = (row: number) => widenRow(probabilities.subarray(row * resolution, (row + 1) * resolution), axis);
  let above = widen(low[0]!);
  let below = widen(high[0]!);
  for (let y = 0; y < size; y++) {
    if (y > 0 && low[y] !== low[y - 1]) above = low[y] === high[y - 1] ? below : widen(low[y]!);
    if (y > 0 && high[y] !== high[y - 1]) below = widen(high[y]!);
    const down = fraction[y]!;
    for (let x = 0, index = y * size; x < size; x++, index++) wide[index] = mix(above[x]!, below[x]!, down);
  }
  return wide;
}

/**
 * The weighted mean of maps that widenMap made, in [0, 1].
 * @param mean its memory; new memory when left out
 */
export function averageMaps(
  maps: readonly Float64Array[],
  weights: readonly number[],
  mean = new Float64Array(maps[0]!.length),
  average: Average = 'probabilities',
): Float64Array {
  if (average !== 'probabilities' && maps.length > 1) return averageOpinions(maps, weights, mean, OPINIONS[average]);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (const [place, map] of maps.entries()) {
    const share = weights[place]! / total;
    if (place === 0) for (let i = 0; i < mean.length; i++) mean[i] = share * map[i]!;
    else for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! + share * map[i]!;
  }
  for (let i = 0; i < mean.length; i++) mean[i] = mean[i]! / 255;
  return mean;
}

/** What a member's probability is turned into before the mean, and the mean after it. */
interface Opinion {
  of(probability: number): number;
  back(mean: number): number;
}

const OPINIONS: Record<Exclude<Average, 'probabilities'>, Opinion> = {
  logits: {
    of: (probability) => {
      const p = Math.min(1 - EDGE, Math.max(EDGE, probability));
      return Math.log(p / (1 - p));
    },
    back: (mean) => 1 / (1 + Math.exp(-mean)),
  },
  vote: { of: (probability) => (probability > 0.5 ? 1 : 0), back: (mean) => mean },
};

function averageOpinions(
  maps: readonly Float64Array[],
  weights: readonly number[],
  mean: Float64Array,
  { of, back }: Opinion,
): Float64Array {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  for (let i = 0; i < mean.length; i++) {
    let sum = 0;
    for (let member = 0; member < maps.length; member++) {
      sum += (weights[member]! / total) * of(maps[member]![i]! / 255);
    }
    mean[i] = back(sum);
  }
  return mean;
}
