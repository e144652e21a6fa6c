import sharp from 'sharp';
import { UserError } from '../core/errors.ts';
import { serveTasks } from '../core/worker-pool.ts';
import { normalise } from '../dicom/normalise.ts';
import { type CacheSetup, placeImage } from './cache-place.ts';
import { type Decoded, type Inspection, inspectImage } from './inspect-image.ts';

/** What every inspection shares. */
export interface InspectSetup {
  /** Where every picture that can be used is put, shrunk; nowhere when left out. */
  shrink?: CacheSetup;
}

/** One file to inspect. */
export interface InspectTask {
  path: string;
  /** Its name in messages. */
  file: string;
  imageId: string;
  /** Its place among the files, from 0. */
  index: number;
  /** Whether a file that cannot be used ends it all. */
  strict: boolean;
}

// Each thread works on an image of its own: more threads inside one image would only get in their way.
sharp.concurrency(1);
serveTasks<InspectSetup, InspectTask, Inspection>(async ({ path, file, imageId, index, strict }, { shrink }) => {
  let decoded: Decoded | undefined;
  const inspection = await inspectImage(path, file, imageId, (found) => {
    decoded = found;
  });
  if (strict && inspection.quarantined !== '') throw new UserError(inspection.quarantined);
  if (shrink === undefined || decoded === undefined || inspection.quarantined !== '') return inspection;
  const { image } = normalise(decoded.pixels, decoded.header, shrink.normalisation);
  return { ...inspection, shrunk: (await placeImage(image, index, shrink)).sha256 };
});
