import type { Runs } from '../core/rle.ts';
import type { DatasetImage } from './dataset.ts';

/** The truth of every image, end to end in memory that threads share. */
export interface SharedTruth {
  runs: Int32Array<SharedArrayBuffer>;
  /** Where the runs of each image end; those of the next one begin there. */
  ends: Int32Array<SharedArrayBuffer>;
}

/** Lays the truth of the images end to end; an unlabelled image has none. */
export function shareTruth(images: readonly Pick<DatasetImage, 'truth'>[]): SharedTruth {
  const total = images.reduce((sum, { truth }) => sum + (truth?.length ?? 0), 0);
  const runs = new Int32Array(new SharedArrayBuffer(total * Int32Array.BYTES_PER_ELEMENT));
  const ends = new Int32Array(new SharedArrayBuffer(images.length * Int32Array.BYTES_PER_ELEMENT));
  let end = 0;
  for (const [index, { truth }] of images.entries()) {
    if (truth !== undefined) runs.set(truth, end);
    end += truth?.length ?? 0;
    ends[index] = end;
  }
  return { runs, ends };
}

/** The runs of one image, empty where it has none or is unlabelled. */
export function truthAt({ runs, ends }: SharedTruth, index: number): Runs {
  return runs.subarray(index === 0 ? 0 : ends[index - 1]!, ends[index]!);
}
