import { type AugmentConfig, augment } from '../augment/index.ts';
import { createRng } from '../core/random.ts';
import type { Batch } from './batch.ts';
import type { Dataset } from './dataset.ts';
import { type SamplerConfig, sampleEpoch } from './sampler.ts';
import { maskAtResolution } from './training-mask.ts';

export interface EpochOptions {
  batchSize: number;
  sampler: SamplerConfig | undefined;
  augment: readonly AugmentConfig[];
  seed: number;
  /** From 0. */
  epoch: number;
}

/**
 * The batches of one training epoch, in an order drawn from seed and epoch, each image augmented by random numbers of
 * its own. An incomplete last batch is left out: another order in the next epoch brings its images in.
 * @param indices which images of the dataset
 */
export function* trainingBatches(
  dataset: Dataset,
  indices: readonly number[],
  options: EpochOptions,
): Generator<Batch> {
  const { batchSize, sampler: config, seed, epoch } = options;
  const isPositive = (index: number) => (dataset.images[index]!.truth?.length ?? 0) > 0;
  const order = sampleEpoch(indices, isPositive, { config, seed, epoch });
  for (let start = 0; start + batchSize <= order.length; start += batchSize) {
    const batch = loadBatch(dataset, order.slice(start, start + batchSize));
    augmentBatch(batch, start, options);
    yield batch;
  }
}

/** The batches of a validation or prediction, in the order of the indices; the last one may be smaller. */
export function* orderedBatches(dataset: Dataset, indices: readonly number[], batchSize: number): Generator<Batch> {
  for (let start = 0; start < indices.length; start += batchSize) {
    yield loadBatch(dataset, indices.slice(start, start + batchSize));
  }
}

function loadBatch(dataset: Dataset, indices: readonly number[]): Batch {
  const { resolution } = dataset;
  const area = resolution * resolution;
  const images = new Uint8Array(indices.length * area);
  const masks = new Uint8Array(indices.length * area);
  indices.forEach((index, place) => {
    images.set(dataset.readPixels(index), place * area);
    const { truth } = dataset.images[index]!;
    if (truth !== undefined) masks.set(maskAtResolution(truth, resolution), place * area);
  });
  const ids = indices.map((index) => dataset.images[index]!.id);
  return { ids, count: indices.length, resolution, images, masks };
}

/** By place in the epoch, since a sampler may give an image twice. */
function augmentBatch(batch: Batch, start: number, options: EpochOptions): void {
  const area = batch.resolution * batch.resolution;
  batch.ids.forEach((_, place) => {
    const image = batch.images.subarray(place * area, (place + 1) * area);
    const mask = batch.masks.subarray(place * area, (place + 1) * area);
    const rng = createRng(options.seed, 'augment', options.epoch, start + place);
    augment(options.augment, { size: batch.resolution, image, mask }, rng);
  });
}
