import type { DatasetImage } from '../data/dataset.ts';

/** What a training epoch says of the images that it saw. */
export type MixtureMetrics = {
  /** The share of the images trained on that show a pneumothorax, each as often as it came. */
  'train/positive_fraction': number;
};

/** Images seen, each as often as it came, and those among them that show a pneumothorax. */
export interface MixtureCounts {
  seen: number;
  positive: number;
}

/** Counts what one training epoch really sees, batch by batch. */
export interface EpochMixture {
  /** A batch was trained on. */
  see(ids: readonly string[]): void;
  /** Of the batches up to now; NaN before the first. */
  metrics(): MixtureMetrics;
  counts(): MixtureCounts;
}

/**
 * A count over images of a data set: positive by their truth, whatever augmentation cuts away.
 * @param from what was seen of the epoch before
 */
export function createEpochMixture(
  images: readonly Pick<DatasetImage, 'id' | 'truth'>[],
  from: MixtureCounts = { seen: 0, positive: 0 },
): EpochMixture {
  const positives = new Set(images.flatMap(({ id, truth }) => ((truth?.length ?? 0) > 0 ? [id] : [])));
  let { seen, positive } = from;
  return {
    see: (ids) => {
      seen += ids.length;
      positive += ids.filter((id) => positives.has(id)).length;
    },
    counts: () => ({ seen, positive }),
    metrics: () => ({ 'train/positive_fraction': positive / seen }),
  };
}
