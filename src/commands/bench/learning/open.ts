import type { Dataset } from '../../../data/dataset.ts';
import type { FoldSplit } from '../../../data/folds.ts';
import type { Learned } from './figures.ts';

/** A phantom and its split. */
export interface OpenData {
  dataset: Dataset;
  split: FoldSplit;
}

/** How many images there are to train and to validate on, and how many of them are positive. */
export function countImages({ dataset, split }: OpenData): Pick<Learned, 'training' | 'validation'> {
  const count = (indices: readonly number[]) => ({
    images: indices.length,
    positives: indices.filter((index) => dataset.images[index]!.truth!.length > 0).length,
  });
  const [training, validation] = [count(split.train), count(split.validation)];
  const empty = validation.images - validation.positives;
  return { training, validation: { ...validation, dice_all_empty: empty / validation.images } };
}
