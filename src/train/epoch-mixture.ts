import type { DatasetImage } from '../data/dataset.ts';

/** What a training epoch says of the images that it saw. */
export type MixtureMetrics = {
  /** The share of the images trained on that show a pneumothorax, each as often as it came. */
  'train/positive_fraction': number;
};

/** Counts what one training epoch really sees, batch by batch. */
export interface EpochMixture {
  /** A batch was trained on. */
  see(ids: readonly string[]): void;
  /** Of the batches up to now; NaN before the first. */
  metrics(): MixtureMetrics;
}

/** A count that starts now, over images of a data set: positive by their truth, whatever augmentation cuts away. */
export function createEpochMixture(images: readonly Pick<DatasetImage, 'id' | 'truth'>[]): EpochMixture {
  const positives = new Set(images.flatMap(({ id, truth }) => ((truth?.length ?? 0) > 0 ? [id] : [])));
  let seen = 0;
  let positive = 0;
  return {
    see: (ids) => {
      seen += ids.length;
      positive += ids.filter((id) => positives.has(id)).length;
    },
    metrics: () => ({ 'train/positive_fraction': positive / seen }),
  };
}
