import sharp from 'sharp';
import { UserError } from '../core/errors.ts';
import { serveTasks } from '../core/worker-pool.ts';
import { type Inspection, inspectImage } from './inspect-image.ts';

/** One file to inspect. */
export interface InspectTask {
  path: string;
  /** Its name in messages. */
  file: string;
  imageId: string;
  /** Whether a file that cannot be used ends it all. */
  strict: boolean;
}

// Each thread works on an image of its own: more threads inside one image would only get in their way.
sharp.concurrency(1);
serveTasks<object, InspectTask, Inspection>(async ({ path, file, imageId, strict }) => {
  const inspection = await inspectImage(path, file, imageId);
  if (strict && inspection.quarantined !== '') throw new UserError(inspection.quarantined);
  return inspection;
});
