import { areaOfRuns, intersectionArea, type Runs } from '../core/rle.ts';
import { sumOf } from './sum.ts';

/** What one image scores. */
export interface ImageScore {
  id: string;
  /** In [0, 1]. */
  dice: number;
  /** In [0, 1]. */
  iou: number;
  /** Whether its truth has a pixel inside. */
  positive: boolean;
  /** Whether its prediction has a pixel inside. */
  predictedPositive: boolean;
}

/** What a list of images scores; a mean over no images is NaN. */
export interface ScoreSummary {
  images: number;
  /** Images whose truth is not empty. */
  positives: number;
  /** The competition's metric: the mean of Dice over all images. */
  dice: number;
  /** The mean of Dice over images whose truth is not empty. */
  dice_positive: number;
  /** The mean of Dice over images whose truth is empty: the share of them that is predicted empty. */
  dice_empty: number;
  /** The mean of intersection over union over all images. */
  iou: number;
  /** What a submission without any mask scores: the share of images whose truth is empty. */
  dice_all_empty: number;
}

/**
 * Dice of two masks of one image, 2·|P ∩ T| / (|P| + |T|), in [0, 1]; 1 when both are empty.
 * Source: the competition's evaluation page; Dice (1945), Ecology 26.
 */
export function diceOfRuns(prediction: Runs, truth: Runs): number {
  const total = areaOfRuns(prediction) + areaOfRuns(truth);
  return total === 0 ? 1 : (2 * intersectionArea(prediction, truth)) / total;
}

/** Intersection over union of two masks of one image, |P ∩ T| / |P ∪ T|, in [0, 1]; 1 when both are empty. */
export function iouOfRuns(prediction: Runs, truth: Runs): number {
  const both = intersectionArea(prediction, truth);
  const union = areaOfRuns(prediction) + areaOfRuns(truth) - both;
  return union === 0 ? 1 : both / union;
}

/** Scores one image by the union of its masks. */
export function scoreImage(id: string, prediction: Runs, truth: Runs): ImageScore {
  return {
    id,
    dice: diceOfRuns(prediction, truth),
    iou: iouOfRuns(prediction, truth),
    positive: truth.length > 0,
    predictedPositive: prediction.length > 0,
  };
}

/** The means over images that the leaderboard and every validation report. */
export function summariseScores(perImage: readonly ImageScore[]): ScoreSummary {
  const positives = perImage.filter(({ positive }) => positive);
  const empties = perImage.filter(({ positive }) => !positive);
  return {
    images: perImage.length,
    positives: positives.length,
    dice: meanOf(perImage, 'dice'),
    dice_positive: meanOf(positives, 'dice'),
    dice_empty: meanOf(empties, 'dice'),
    iou: meanOf(perImage, 'iou'),
    dice_all_empty: empties.length / perImage.length,
  };
}

function meanOf(scores: readonly ImageScore[], figure: 'dice' | 'iou'): number {
  return sumOf(scores.map((score) => score[figure])) / scores.length;
}
