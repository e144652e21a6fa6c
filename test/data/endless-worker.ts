import { serveTasks } from '../../src/core/worker-pool.ts';
import { type Inspection, inspectImage } from '../../src/data/inspect-image.ts';
import type { InspectTask } from '../../src/data/inspect-worker.ts';

/** A decoder that one file keeps busy for ever. */
serveTasks<object, InspectTask, Inspection>(async ({ path, file, imageId }) => {
  while (imageId === 'endless');
  return await inspectImage(path, file, imageId);
});
