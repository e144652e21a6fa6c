import { type AugmentConfig, augment } from '../augment/index.ts';
import { createRng } from '../core/random.ts';
import type { Batch } from './batch.ts';
import type { Dataset } from './dataset.ts';
import { maskAtResolution } from './training-mask.ts';

/**
 * The batches of one training epoch: every image once, in an order drawn from seed and epoch, each augmented by random
 * numbers of its own. An incomplete last batch is left out: another order in the next epoch brings its images in.
 * @param indices which images of the dataset
 */
export function* trainingBatches(
  dataset: Dataset,
  indices: readonly number[],
  options: { batchSize: number; augment: readonly AugmentConfig[]; seed: number; epoch: number },
): Generator<Batch> {
  const order = createRng(options.seed, 'order', options.epoch).shuffle(indices);
  for (let start = 0; start + options.batchSize <= order.length; start += options.batchSize) {
    const batch = loadBatch(dataset, order.slice(start, start + options.batchSize));
    augmentBatch(batch, options);
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

function augmentBatch(batch: Batch, options: { augment: readonly AugmentConfig[]; seed: number; epoch: number }) {
  const area = batch.resolution * batch.resolution;
  batch.ids.forEach((id, place) => {
    const image = batch.images.subarray(place * area, (place + 1) * area);
    const mask = batch.masks.subarray(place * area, (place + 1) * area);
    const rng = createRng(options.seed, 'augment', options.epoch, id);
    augment(options.augment, { size: batch.resolution, image, mask }, rng);
  });
}
