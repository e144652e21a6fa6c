import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
// On Linux sharp must be loaded by the main thread before any worker thread loads it (sharp's installation notes).
import 'sharp';
import { MASK_SIZE } from '../core/competition.ts';
import type { Terminal } from '../core/terminal.ts';
import { mapInWorkers } from '../core/worker-pool.ts';
import type { CacheContent } from './cache-key.ts';
import { writingTo } from './disk.ts';
import type { PngSetup, PngTask } from './png-worker.ts';

/** The images to write; at MASK_SIZE when no resolution is given. */
export type PngOptions = Omit<CacheContent, 'resolution'> & {
  resolution?: number | undefined;
  workers?: number;
  signal?: AbortSignal;
};

/**
 * Writes images as 8-bit grey PNG files under `<root>/cache/png-<R>-<normalisation>/`, for looking, and gives that
 * folder; files that are there are written again. Throws UserError where the disk refuses, or an image file is not the
 * catalogued one any more.
 */
export async function writePngs(options: PngOptions, terminal: Terminal): Promise<string> {
  const { root, resolution = MASK_SIZE, normalisation, sources, workers, signal } = options;
  const folder = join(root, 'cache', `png-${resolution}-${normalisation.name}`);
  const tasks = sources.map(
    ({ imageId, file, sha256 }): PngTask => ({
      path: join(root, file),
      file,
      sha256,
      to: join(folder, `${imageId}.png`),
    }),
  );
  await writingTo(folder, () => mkdir(folder, { recursive: true }));
  const setup: PngSetup = { resolution, normalisation };
  const progress = terminal.progress(`PNG files at ${resolution}×${resolution}`, tasks.length);
  try {
    await mapInWorkers<PngTask, void>(new URL('./png-worker.ts', import.meta.url), setup, tasks, {
      ...(workers === undefined ? {} : { workers }),
      inFlight: 2,
      ...(signal === undefined ? {} : { signal }),
      onResult: () => progress.advance(),
    });
  } finally {
    progress.stop();
  }
  return folder;
}
