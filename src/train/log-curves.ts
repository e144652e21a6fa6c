import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { plot } from '../pages/plot.ts';
import { plotPng } from '../pages/plot-png.ts';
import { openProbabilityStore } from '../predict/probability-store.ts';
import { type ThresholdPoint, thresholdCurves } from '../predict/threshold-curves.ts';
import type { Training } from './fit.ts';

/** In a run's folder, and among its artifacts. */
const FOLDER = 'curves';

/**
 * What other thresholds would give, by the stored validation probabilities of the chosen checkpoint: Dice by threshold, and
 * precision over recall of all pixels, as plots and as `curves/thresholds.json`, all logged as artifacts.
 */
export async function logCurves(
  { runDir, dataset, split, journal, signal }: Pick<Training, 'runDir' | 'dataset' | 'split' | 'journal' | 'signal'>,
  storePath: string,
): Promise<void> {
  const store = await openProbabilityStore(storePath);
  const curves = thresholdCurves();
  try {
    for (const index of split.validation) {
      // Some milliseconds an image: signals and uploads must get their turn.
      await setImmediate();
      signal.throwIfAborted();
      const { id, truth } = dataset.images[index]!;
      curves.add(store.read(id), store.resolution, truth!);
    }
  } finally {
    store.close();
  }
  const points = curves.points();
  const files: Record<string, string | Uint8Array> = {
    'thresholds.json': `${JSON.stringify(points, null, 2)}\n`,
    'dice-by-threshold.png': await plotPng(await plot(diceSpec(points), 'Dice by threshold')),
    'precision-recall.png': await plotPng(await plot(precisionSpec(points), 'Precision over recall')),
  };
  for (const [name, content] of Object.entries(files)) {
    const file = join(FOLDER, name);
    await writeFileAtomic(join(runDir, file), content);
    journal.artifact(file, file);
  }
}

function diceSpec(points: readonly ThresholdPoint[]) {
  const values = points.flatMap(({ threshold, dice, dice_positive }) => [
    { threshold, dice, of: 'all images' },
    { threshold, dice: dice_positive, of: 'with a mask' },
  ]);
  const colours = ['var(--series-1)', 'var(--series-2)'];
  return {
    data: { values: values.filter(({ dice }) => Number.isFinite(dice)) },
    mark: { type: 'line', point: true },
    encoding: {
      x: { field: 'threshold', type: 'quantitative', title: 'threshold', scale: { domain: [0, 1] } },
      y: { field: 'dice', type: 'quantitative', title: 'mean Dice', scale: { domain: [0, 1] } },
      color: { field: 'of', type: 'nominal', title: null, scale: { range: colours }, legend: { orient: 'bottom' } },
    },
  };
}

function precisionSpec(points: readonly ThresholdPoint[]) {
  const values = points.filter(({ precision, recall }) => Number.isFinite(precision) && Number.isFinite(recall));
  return {
    data: { values },
    mark: { type: 'line', point: true, color: 'var(--series-1)' },
    encoding: {
      x: { field: 'recall', type: 'quantitative', title: 'recall of pixels', scale: { domain: [0, 1] } },
      y: { field: 'precision', type: 'quantitative', title: 'precision of pixels', scale: { domain: [0, 1] } },
      order: { field: 'threshold' },
    },
  };
}
