import type { ImageScore } from './dice.ts';

/** Which images have a mask, by truth and by prediction. */
export interface Confusion {
  /** A mask in both. */
  found: number;
  /** A mask that was not predicted: Dice 0. */
  missed: number;
  /** A predicted mask where there is none: Dice 0. */
  false_alarms: number;
  /** None in both: Dice 1. */
  both_empty: number;
}

/** How an image's prediction stands to its truth. */
export type Kind = keyof Confusion;

export function kindOf({ positive, predictedPositive }: Pick<ImageScore, 'positive' | 'predictedPositive'>): Kind {
  if (positive) return predictedPositive ? 'found' : 'missed';
  return predictedPositive ? 'false_alarms' : 'both_empty';
}

/** Counts images by kind. */
export function countKinds(images: readonly ImageScore[]): Confusion {
  const counts: Confusion = { found: 0, missed: 0, false_alarms: 0, both_empty: 0 };
  for (const image of images) counts[kindOf(image)]++;
  return counts;
}
