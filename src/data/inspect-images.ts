import { join } from 'node:path';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { mapInWorkers } from '../core/worker-pool.ts';
import type { CacheSetup } from './cache-place.ts';
import type { ImageFile } from './find-images.ts';
import type { Inspection } from './inspect-image.ts';
import type { InspectSetup, InspectTask } from './inspect-worker.ts';

export interface InspectOptions {
  root: string;
  /** Whether the first file that cannot be used ends it all. */
  strict: boolean;
  /** Where to put the pictures, shrunk for the pixel cache, while they are at hand; nowhere when left out. */
  shrink?: CacheSetup | undefined;
  /** Threads; as many as the machine runs at once when left out. */
  workers?: number;
  /** Stops the work when aborted. */
  signal?: AbortSignal;
}

/** Hundreds of times what the largest radiograph takes, so that a slow disk is not taken for a hostile file. */
const MOST_SECONDS = 30;
const WORKER = new URL('./inspect-worker.ts', import.meta.url);

/**
 * Inspects every file on all cores, in their order; see inspectImage. A file that keeps a decoder busy for 30 s without an end,
 * twice, is one that cannot be used.
 * Throws UserError where strict and a file cannot be used.
 */
export async function inspectImages(
  files: readonly ImageFile[],
  { root, strict, shrink, workers, signal }: InspectOptions,
  terminal: Terminal,
  { worker, seconds } = { worker: WORKER, seconds: MOST_SECONDS },
): Promise<Inspection[]> {
  const tasks = files.map(
    ({ file, imageId }, index): InspectTask => ({ path: join(root, file), file, imageId, index, strict }),
  );
  const setup: InspectSetup = shrink === undefined ? {} : { shrink };
  const progress = terminal.progress('reading image files', tasks.length);
  const late = { seconds, result: (task: InspectTask) => endless(task, seconds) };
  try {
    return await mapInWorkers<InspectTask, Inspection>(worker, setup, tasks, {
      ...(workers === undefined ? {} : { workers }),
      ...(signal === undefined ? {} : { signal }),
      inFlight: 2,
      late,
      onResult: () => progress.advance(),
    });
  } finally {
    progress.stop();
  }
}

function endless({ file, strict }: InspectTask, seconds: number): Inspection {
  const quarantined = `${file}: its decoder came to no end in ${seconds} s and was stopped: the file is damaged or hostile.`;
  if (strict) throw new UserError(quarantined);
  return { bytes: 0, sha256: '', header: undefined, notes: [], phash: '', quarantined };
}
