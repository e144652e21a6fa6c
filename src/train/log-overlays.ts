import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import type { ImageScore } from '../metrics/dice.ts';
import { imageScoresPath, readImageScores, validationMask } from '../predict/image-scores.ts';
import { predictionsPath } from '../predict/predictor.ts';
import { openProbabilityStore } from '../predict/probability-store.ts';
import type { Training } from './fit.ts';
import { writeOverlay } from './overlay.ts';

/**
 * Draws the worst, the median and the best of the positive validation images of a checkpoint, from its stored probabilities, and
 * logs them at a step: its epoch, or one behind the last for the checkpoint that is chosen.
 */
export async function logOverlays(
  { runDir, dataset, split, journal }: Pick<Training, 'runDir' | 'dataset' | 'split' | 'journal'>,
  id: string,
  step: number,
): Promise<void> {
  const storePath = predictionsPath(runDir, id, 'oof', ['none']);
  const scores = await readImageScores(imageScoresPath(storePath));
  const cases = chooseCases((scores?.images ?? []).filter(({ positive }) => positive));
  if (cases.length === 0) return;
  const store = await openProbabilityStore(storePath);
  try {
    for (const [label, score] of cases) {
      const index = findImage(dataset, split.validation, score.id);
      const file = join('overlays', `${id}-${label}.png`);
      const { truth } = dataset.images[index]!;
      const mask = validationMask(store.read(score.id), store.resolution);
      await writeOverlay(join(runDir, file), dataset.readPixels(index), dataset.resolution, truth!, mask);
      journal.image(file, `val/${label}`, step);
    }
  } finally {
    store.close();
  }
}

/** By Dice among the positives; nothing where there are none. */
function chooseCases(positives: readonly ImageScore[]): [string, ImageScore][] {
  const ranked = [...positives].sort((a, b) => a.dice - b.dice || (a.id < b.id ? -1 : 1));
  if (ranked.length === 0) return [];
  return [
    ['worst', ranked[0]!],
    ['median', ranked[Math.floor(ranked.length / 2)]!],
    ['best', ranked.at(-1)!],
  ];
}

function findImage(dataset: Dataset, indices: readonly number[], id: string): number {
  return indices.find((index) => dataset.images[index]!.id === id)!;
}
