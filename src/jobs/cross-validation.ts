import { expected } from '../core/errors.ts';
import { type ImageScore, summariseScores } from '../metrics/dice.ts';
import { imageScoresPath, readImageScores } from '../predict/image-scores.ts';
import { predictionsPath } from '../predict/predictor.ts';
import { readRecord } from '../tracking/read-record.ts';
import type { SavedCheckpoint } from '../train/keep-checkpoints.ts';

/** What of a fold's run cross-validation goes by. */
interface FoldOfRun {
  fold: number;
  run_dir?: string;
  chosen?: SavedCheckpoint | undefined;
}

/**
 * The figures of all folds together: mean and standard deviation (of a sample, n − 1) of their `val/dice`, and means over all
 * images pooled, each scored by the network that did not see it. Throws Error where a fold keeps no scores of its images, and where
 * folds are of other data or an image is in two of them.
 */
export async function crossValidation(folds: readonly FoldOfRun[]): Promise<Record<string, number>> {
  const pooled: ImageScore[] = [];
  for (const { fold, run_dir, chosen } of folds) {
    const path = imageScoresPath(predictionsPath(run_dir!, chosen!.id, 'oof', ['none']));
    const scores = await readImageScores(path);
    if (scores === undefined) throw new Error(expected('scores of images', `fold ${fold}`, path));
    pooled.push(...scores.images);
  }
  const digests = new Set(folds.map(({ run_dir }) => readRecord(run_dir!)?.tags['data.digest']));
  const images = new Set(pooled.map(({ id }) => id)).size;
  if (digests.size > 1 || images < pooled.length) {
    const next = 'Data or folds changed between two of them: train all folds anew.';
    throw new Error(
      expected(
        'folds of the same data',
        'cross-validation',
        `${digests.size} digests, ${pooled.length - images} images twice`,
        next,
      ),
    );
  }
  const dices = folds.map(({ chosen }) => chosen!.metrics['val/dice']);
  const mean = dices.reduce((sum, dice) => sum + dice, 0) / dices.length;
  const squares = dices.reduce((sum, dice) => sum + (dice - mean) ** 2, 0);
  const summary = summariseScores(pooled);
  return {
    'cv/dice_mean': mean,
    'cv/dice_std': Math.sqrt(squares / (dices.length - 1)),
    'cv/dice': summary.dice,
    'cv/dice_positive': summary.dice_positive,
    'cv/dice_empty': summary.dice_empty,
    'cv/iou': summary.iou,
    'cv/dice_all_empty': summary.dice_all_empty,
  };
}
