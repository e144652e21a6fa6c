import { join } from 'node:path';
import type { Dataset } from '../data/dataset.ts';
import type { ImageScore } from '../metrics/dice.ts';
import { scoreStored, validationMask } from '../predict/image-scores.ts';
import { openProbabilityStore } from '../predict/probability-store.ts';
import type { Training } from './fit.ts';
import type { SavedCheckpoint } from './keep-checkpoints.ts';
import { writeOverlay } from './overlay.ts';

/** Draws the worst, the median and the best of the positive validation images, from stored probabilities, and logs them. */
export async function logOverlays(
  runDir: string,
  { dataset, split, journal, experiment }: Pick<Training, 'dataset' | 'split' | 'journal' | 'experiment'>,
  { id }: SavedCheckpoint,
  storePath: string,
): Promise<void> {
  const store = await openProbabilityStore(storePath);
  const maskOf = (image: string) => validationMask(store.read(image), store.resolution);
  try {
    const scores = split.validation
      .map((index) => dataset.images[index]!)
      .filter(({ truth }) => truth!.length > 0)
      .map(({ id, truth }) => scoreStored(store.read(id), store.resolution, { id, truth: truth! }));
    for (const [label, score] of chooseCases(scores)) {
      const index = findImage(dataset, split.validation, score.id);
      const file = join('overlays', `${id}-${label}.png`);
      const { truth } = dataset.images[index]!;
      const mask = maskOf(score.id);
      await writeOverlay(join(runDir, file), dataset.readPixels(index), dataset.resolution, truth!, mask);
      journal.image(file, `val/${label}`, experiment.epochs);
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
