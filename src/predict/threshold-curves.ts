import { MASK_SIZE } from '../core/competition.ts';
import { areaOfRuns, type Runs, runsToMask } from '../core/rle.ts';
import { bilinearAxis, mix } from '../postprocess/bilinear.ts';

/** Where masks are cut to see what another threshold would give: 0.05, 0.10, … 0.95. */
export const THRESHOLDS: readonly number[] = Array.from({ length: 19 }, (_, index) => (index + 1) / 20);

/** What a threshold gives over all images. */
export interface ThresholdPoint {
  threshold: number;
  /** The competition's metric, in [0, 1]. */
  dice: number;
  /** The same over images that have a mask; NaN without any. */
  dice_positive: number;
  /** Of all pixels at 1024² above the threshold, the share inside the truth; NaN where none is above. */
  precision: number;
  /** Of all pixels of the truth, the share above the threshold; NaN where there is no truth. */
  recall: number;
}

/** Gathers images one by one. */
export interface ThresholdCurves {
  /** Probabilities as bytes, [resolution, resolution], and the truth at 1024². */
  add(probabilities: Uint8Array, resolution: number, truth: Runs): void;
  points(): ThresholdPoint[];
}

/** Curves over thresholds without any image; masks are those of `thresholdMap`, pixel by pixel. */
export function thresholdCurves(): ThresholdCurves {
  const sums = THRESHOLDS.map(() => ({ dice: 0, ofPositives: 0, hits: 0, above: 0 }));
  let [images, positives, truths] = [0, 0, 0];
  return {
    add: (probabilities, resolution, truth) => {
      const area = areaOfRuns(truth);
      images++;
      truths += area;
      if (area > 0) positives++;
      const { inside, outside } = countAbove(probabilities, resolution, truth);
      sums.forEach((sum, index) => {
        const [hits, above] = [inside[index]!, inside[index]! + outside[index]!];
        const dice = above + area === 0 ? 1 : (2 * hits) / (above + area);
        sum.dice += dice;
        sum.ofPositives += area > 0 ? dice : 0;
        sum.hits += hits;
        sum.above += above;
      });
    },
    points: () =>
      sums.map(({ dice, ofPositives, hits, above }, index) => ({
        threshold: THRESHOLDS[index]!,
        dice: dice / images,
        dice_positive: ofPositives / positives,
        precision: hits / above,
        recall: hits / truths,
      })),
  };
}

/** Pixels at 1024² above each threshold, within the truth and outside of it, in one pass over the picture. */
function countAbove(probabilities: Uint8Array, resolution: number, truth: Runs) {
  const { low, high, fraction } = bilinearAxis(resolution, MASK_SIZE);
  const { data } = runsToMask(truth);
  // By how many thresholds a pixel is above.
  const inside = new Int32Array(THRESHOLDS.length + 1);
  const outside = new Int32Array(THRESHOLDS.length + 1);
  const least = Math.floor(255 * THRESHOLDS[0]!);
  for (let y = 0; y < MASK_SIZE; y++) {
    const [upper, lower, down] = [low[y]! * resolution, high[y]! * resolution, fraction[y]!];
    for (let x = 0; x < MASK_SIZE; x++) {
      const [left, right, along] = [low[x]!, high[x]!, fraction[x]!];
      const [a, b] = [probabilities[upper + left]!, probabilities[upper + right]!];
      const [c, d] = [probabilities[lower + left]!, probabilities[lower + right]!];
      // Between four bytes a pixel is never above the greatest.
      if (a < least && b < least && c < least && d < least) continue;
      const count = thresholdsBelow(mix(mix(a, b, along), mix(c, d, along), down) / 255);
      const counts = data[y * MASK_SIZE + x] === 1 ? inside : outside;
      counts[count] = counts[count]! + 1;
    }
  }
  return { inside: fromTop(inside), outside: fromTop(outside) };
}

/** How many thresholds a probability is strictly above. */
function thresholdsBelow(probability: number): number {
  let count = Math.max(0, Math.min(THRESHOLDS.length, Math.ceil(20 * probability) - 1));
  while (count < THRESHOLDS.length && probability > THRESHOLDS[count]!) count++;
  while (count > 0 && !(probability > THRESHOLDS[count - 1]!)) count--;
  return count;
}

/** From pixels above exactly k thresholds to pixels above the k-th, from 0. */
function fromTop(counts: Int32Array): Int32Array {
  const above = new Int32Array(THRESHOLDS.length);
  let sum = 0;
  for (let k = THRESHOLDS.length; k > 0; k--) {
    sum += counts[k]!;
    above[k - 1] = sum;
  }
  return above;
}
