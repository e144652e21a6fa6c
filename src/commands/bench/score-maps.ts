/** A picture and its truth at one small resolution, row-major. */
export interface Example {
  /** Grey levels 0 to 255, [R,R]. */
  pixels: Uint8Array;
  /** 0 or 1, [R,R]. */
  mask: Uint8Array;
}

/** A baseline's opinion of each pixel, 0 to 255: the higher, the likelier inside. */
export type ScoreMap = (example: Example) => Uint8Array;

/**
 * The mean Dice of thresholded score maps over the examples, for every threshold: entry t is for `score >= t`,
 * t from 0 to 255. Dice as the competition has it, but at the examples' resolution.
 */
export function diceByThreshold(examples: readonly Example[], scoreOf: ScoreMap): Float64Array {
  const mean = new Float64Array(256);
  for (const example of examples) {
    const { inside, all } = countByScore(scoreOf(example), example.mask);
    const area = example.mask.reduce((sum, value) => sum + value, 0);
    for (let t = 0; t < 256; t++) {
      const dice = area + all[t]! === 0 ? 1 : (2 * inside[t]!) / (area + all[t]!);
      mean[t] = mean[t]! + dice / examples.length;
    }
  }
  return mean;
}

/** Dice on `held` at the threshold that is best on `train`. */
export function diceAtBestThreshold(train: readonly Example[], held: readonly Example[], scoreOf: ScoreMap): number {
  const trained = diceByThreshold(train, scoreOf);
  return diceByThreshold(held, scoreOf)[trained.indexOf(Math.max(...trained))]!;
}

/** How many pixels, and how many of the mask's, score at least t. */
function countByScore(scores: Uint8Array, mask: Uint8Array): { inside: Float64Array; all: Float64Array } {
  const inside = new Float64Array(257);
  const all = new Float64Array(257);
  for (let i = 0; i < scores.length; i++) {
    const score = scores[i]!;
    all[score] = all[score]! + 1;
    inside[score] = inside[score]! + mask[i]!;
  }
  for (let t = 255; t >= 0; t--) {
    all[t] = all[t]! + all[t + 1]!;
    inside[t] = inside[t]! + inside[t + 1]!;
  }
  return { inside, all };
}
