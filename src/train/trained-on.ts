import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { RunSummary } from '../tracking/runs.ts';

/** Which images a run's weights were trained on; beside the run, since a folds file may be gone when it is asked. */
const TRAINED_ON = 'trained-on.json';

const trainedOn = z.object({
  /** Ids, of the run itself and of all runs that it started from, one after the other. */
  images: z.array(z.string()),
  /** Runs before it that keep no such record, by run id: what they were trained on cannot be told. */
  unknown: z.array(z.string()),
});

/** What weights were trained on. */
export type TrainedOn = z.infer<typeof trainedOn>;

/** Of weights that are random. */
export const UNTRAINED: TrainedOn = { images: [], unknown: [] };

/** What weights were trained on that come from a run and go on with these images. */
export function trainedFurther(before: TrainedOn, ids: readonly string[]): TrainedOn {
  return { images: [...new Set([...before.images, ...ids])], unknown: before.unknown };
}

/** Keeps what a run is trained on beside it. */
export async function writeTrainedOn(runDir: string, record: TrainedOn): Promise<void> {
  await writeFileAtomic(join(runDir, TRAINED_ON), `${JSON.stringify(record, null, 1)}\n`);
}

/** What a run was trained on, in it and before; a run without the record is `unknown`. Throws UserError where it is damaged. */
export async function readTrainedOn({ dir, run_id }: Pick<RunSummary, 'dir' | 'run_id'>): Promise<TrainedOn> {
  const path = join(dir, TRAINED_ON);
  try {
    return trainedOn.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { images: [], unknown: [run_id] };
    throw new UserError(expected('the images that the run was trained on', path, messageOf(error)), { cause: error });
  }
}
