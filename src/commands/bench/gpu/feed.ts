import { setImmediate } from 'node:timers/promises';
import type { AugmentConfig } from '../../../augment/index.ts';
import type { Dataset } from '../../../data/dataset.ts';
import { openLoader } from '../../../data/loader.ts';
import type { TrainStep } from '../../../train/step.ts';
import { WARM_UP } from '../step-bench.ts';

/** How a step ran that a loader fed. */
export interface Fed {
  images_per_second: number;
  /** Share of the time in which the step waited for its batch. */
  wait_fraction: number;
  steps: number;
  /** Milliseconds, Date.now: the time that was measured. */
  from: number;
  to: number;
}

interface FeedOptions {
  batchSize: number;
  /** At least so long, and so many steps. */
  seconds: number;
  steps: number;
  signal: AbortSignal;
}

/** What the report of the competition augments with. */
const AUGMENT: AugmentConfig[] = [
  { name: 'hflip', p: 0.5 },
  { name: 'random_crop_zoom', p: 0.5, scale: [0.8, 1] },
  { name: 'brightness_contrast', p: 0.5, brightness: 0.2, contrast: 0.2 },
];
const LR = 1e-4;

/**
 * Trains on batches that the loader's threads make meanwhile, as a run does, for a while after two steps that warm up.
 * @param dataset of at least one batch
 */
export async function feedStep(step: TrainStep, dataset: Dataset, options: FeedOptions): Promise<Fed> {
  const { batchSize, seconds, steps, signal } = options;
  const loader = openLoader(dataset, { signal });
  const indices = dataset.images.map((_, index) => index);
  async function* endless() {
    for (let epoch = 0; ; epoch++) {
      const epochOptions = { batchSize, sampler: undefined, augment: AUGMENT, seed: 1, epoch };
      yield* loader.trainingBatches(indices, epochOptions);
    }
  }
  const batches = endless();
  let [done, waited, from] = [-WARM_UP, 0, 0];
  try {
    while (done < steps || Date.now() - from < 1000 * seconds) {
      if (done === 0) [waited, from] = [0, Date.now()];
      const asked = performance.now();
      const { value: batch } = await batches.next();
      waited += performance.now() - asked;
      step.update(batch!, LR);
      done++;
      // TensorFlow works synchronously: without this neither signals nor threads would get their turn.
      await setImmediate();
      signal.throwIfAborted();
    }
    const to = Date.now();
    const [images, elapsed] = [done * batchSize, Math.max(1, to - from)];
    return { images_per_second: (1000 * images) / elapsed, wait_fraction: waited / elapsed, steps: done, from, to };
  } finally {
    await batches.return();
    await loader.close();
  }
}
