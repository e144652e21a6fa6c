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

/** Below this Dice an outline is poor. */
export const POOR = 0.8;

/** What is wrong with an image's prediction, in a word or two; nothing where its outline is not poor, or both are empty. */
export function faultOf(score: Pick<ImageScore, 'positive' | 'predictedPositive' | 'dice'>): string {
  switch (kindOf(score)) {
    case 'false_alarms':
      return 'false alarm';
    case 'missed':
      return 'missed';
    case 'found':
      return score.dice < POOR ? 'poor outline' : '';
    case 'both_empty':
      return '';
  }
}

/** Counts images by kind. */
export function countKinds(images: readonly ImageScore[]): Confusion {
  const counts: Confusion = { found: 0, missed: 0, false_alarms: 0, both_empty: 0 };
  for (const image of images) counts[kindOf(image)]++;
  return counts;
}
