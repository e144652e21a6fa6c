import type { AugmentConfig } from '../augment/index.ts';
import type { PixelCell } from './dataset.ts';
import type { Queue } from './loader-queue.ts';
import type { SharedTruth } from './loader-truth.ts';

/** What a loader's threads know from their start. */
export interface LoaderSetup {
  pixelsPath: string;
  /** Where the extra images lie, which come behind those of `pixelsPath`; none when left out. */
  cells?: readonly PixelCell[];
  /** R. */
  resolution: number;
  truth: SharedTruth;
}

/** One pass over images of the data set. */
export interface LoaderJob {
  queue: Queue;
  /** The slots, one after the other: each has the images of a batch, then its masks. */
  memory: SharedArrayBuffer;
  /** Which image is at each place, by index into the data set. */
  order: Int32Array;
  /** Undefined: images as they are; firstPlace is the epoch's place that is the pass's first. */
  augmentation: { steps: readonly AugmentConfig[]; seed: number; epoch: number; firstPlace: number } | undefined;
}

/** The bytes that a pass needs. */
export function passBytes({ slots, batchSize }: Pick<Queue, 'slots' | 'batchSize'>, resolution: number): number {
  return slots * batchSize * 2 * resolution ** 2;
}

/** Images and masks of the first `count` of a batch, each [count,R,R,1], where they lie. */
export function batchMemory(
  { queue, memory }: Pick<LoaderJob, 'queue' | 'memory'>,
  resolution: number,
  batch: number,
  count: number,
) {
  const area = resolution ** 2;
  const start = (batch % queue.slots) * queue.batchSize * 2 * area;
  return {
    images: new Uint8Array(memory, start, count * area),
    masks: new Uint8Array(memory, start + queue.batchSize * area, count * area),
  };
}

/** Image and mask at a place of the pass, each [R,R], where they lie. */
export function sampleMemory(job: LoaderJob, resolution: number, place: number) {
  const area = resolution ** 2;
  const { batchSize } = job.queue;
  const { images, masks } = batchMemory(job, resolution, Math.floor(place / batchSize), batchSize);
  const start = (place % batchSize) * area;
  return { image: images.subarray(start, start + area), mask: masks.subarray(start, start + area) };
}
