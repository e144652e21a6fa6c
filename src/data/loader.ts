import { availableParallelism } from 'node:os';
import type { AugmentConfig } from '../augment/index.ts';
import type { Batch } from './batch.ts';
import type { Dataset } from './dataset.ts';
import { weighImages } from './extra-weights.ts';
import { batchMemory, type LoaderJob, type LoaderSetup, passBytes } from './loader-job.ts';
import {
  countBatches,
  countImages,
  createQueue,
  isWhole,
  type Queue,
  releaseBatch,
  stopPass,
  threadsAtWork,
} from './loader-queue.ts';
import { startThreads, type Threads } from './loader-threads.ts';
import { shareTruth } from './loader-truth.ts';
import { type SamplerConfig, sampleEpoch } from './sampler.ts';

export interface EpochOptions {
  batchSize: number;
  sampler: SamplerConfig | undefined;
  augment: readonly AugmentConfig[];
  seed: number;
  /** From 0. */
  epoch: number;
  /** How many of its batches to leave out, those that were trained on before; left out: none. */
  fromBatch?: number;
}

/**
 * Threads that read, draw and augment batches ahead of the device, also while the caller is blocked; one pass at a
 * time. Batches come in order, the same for the same seed whatever the number of threads. Each is valid until the next
 * one is asked for: its memory is filled again. When something goes wrong in a thread, or at an abort, every pass
 * throws it from then on.
 */
export interface Loader {
  readonly dataset: Dataset;
  /**
   * The batches of one training epoch, in an order drawn from seed and epoch, each image augmented by random numbers of
   * its own. An incomplete last batch is left out: another order in the next epoch brings its images in.
   * @param indices which images of the dataset
   */
  trainingBatches(indices: readonly number[], options: EpochOptions): AsyncGenerator<Batch, void, void>;
  /** The batches of a validation or prediction, in the order of the indices; the last one may be smaller. */
  orderedBatches(indices: readonly number[], batchSize: number): AsyncGenerator<Batch, void, void>;
  /** Ends the threads; to be called whatever happens. */
  close(): Promise<void>;
}

/** At least these are ahead of the batch in use. */
const LEAST_AHEAD = 3;
/** One thread augments over a hundred images a second at 512²; no device takes more than eight of them. */
const MOST_WORKERS = 8;

/**
 * Starts a loader's threads over a data set, which must stay open until the loader is closed.
 * @param options.workers how many threads; one less than the machine runs at once, at most 8, when left out.
 * @param options.signal stops the threads when aborted.
 */
export function openLoader(
  dataset: Dataset,
  { workers = defaultWorkers(), signal }: { workers?: number | undefined; signal: AbortSignal },
): Loader {
  const { resolution, images, pixelsPath, cells = [] } = dataset;
  const setup: LoaderSetup = { pixelsPath, cells, resolution, truth: shareTruth(images) };
  const options = { count: workers, signal };
  const threads = startThreads<LoaderJob>(new URL('./loader-worker.ts', import.meta.url), setup, options);
  let memory = new SharedArrayBuffer(0);
  let passing = false;

  async function* pass(
    order: readonly number[],
    batchSize: number,
    augmentation?: LoaderJob['augmentation'],
  ): AsyncGenerator<Batch, void, void> {
    if (passing) throw new Error('Expected one pass of a loader at a time but another one has not ended.');
    threads.check();
    passing = true;
    const slots = 1 + Math.max(LEAST_AHEAD, Math.ceil((2 * workers) / batchSize));
    const queue = createQueue({ images: order.length, batchSize, slots }, workers);
    // Memory is kept from pass to pass: threads let go of it only when their garbage is collected.
    const bytes = passBytes(queue, resolution);
    if (memory.byteLength < bytes) memory = new SharedArrayBuffer(bytes);
    threads.give({ queue, memory, order: Int32Array.from(order), augmentation });
    try {
      for (let batch = 0; batch < countBatches(queue); batch++) {
        await whole(queue, batch, threads);
        const count = countImages(queue, batch);
        const ids = order.slice(batch * batchSize, batch * batchSize + count).map((index) => images[index]!.id);
        yield { ids, count, resolution, ...batchMemory({ queue, memory }, resolution, batch, count) };
        releaseBatch(queue);
      }
    } finally {
      stopPass(queue);
      while (threadsAtWork(queue) > 0 && !threads.failed()) await threads.news();
      passing = false;
    }
  }

  return {
    dataset,
    trainingBatches: (indices, { batchSize, sampler: config, augment: steps, seed, epoch, fromBatch = 0 }) => {
      const isPositive = (index: number) => (images[index]!.truth?.length ?? 0) > 0;
      const weighed = weighImages(images, indices, { seed, epoch });
      const order = sampleEpoch(weighed, isPositive, { config, seed, epoch });
      const firstPlace = fromBatch * batchSize;
      const wholeBatches = order.slice(firstPlace, order.length - (order.length % batchSize));
      return pass(wholeBatches, batchSize, { steps, seed, epoch, firstPlace });
    },
    orderedBatches: pass,
    close: threads.close,
  };
}

/** Resolves when all images of a batch are there. */
async function whole(queue: Queue, batch: number, threads: Threads<LoaderJob>): Promise<void> {
  threads.check();
  while (!isWhole(queue, batch)) {
    await threads.news();
    threads.check();
  }
}

/** One for each core but the main thread's. */
function defaultWorkers(): number {
  return Math.min(MOST_WORKERS, Math.max(1, availableParallelism() - 1));
}
