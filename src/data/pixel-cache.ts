import { mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
// On Linux sharp must be loaded by the main thread before any worker thread loads it (sharp's installation notes).
import 'sharp';
import { sha256, sha256File, syncDirectory, writeFileAtomic } from '../core/atomic-file.ts';
import { UserError } from '../core/errors.ts';
import { withLock } from '../core/lock.ts';
import type { Terminal } from '../core/terminal.ts';
import { mapInWorkers } from '../core/worker-pool.ts';
import { type CacheIndex, checkCache } from './cache-index.ts';
import type { CacheSetup, CacheTask } from './cache-worker.ts';
import { writingTo } from './disk.ts';
import { KERNEL } from './resize.ts';

/** An image that goes into the cache. */
export interface CacheSource {
  imageId: string;
  /** Relative to the data root. */
  file: string;
  /** Of the file, as catalogued. */
  sha256: string;
}

export interface CacheOptions {
  root: string;
  /** Side in pixels. */
  resolution: number;
  /** In the order in which they lie in the file. */
  sources: readonly CacheSource[];
  /** What an existing cache is held against: its index and size (at once), or its SHA-256 too (reads it all). */
  verify: 'size' | 'sha256';
  /** Threads; as many as the machine runs at once when left out. */
  workers?: number;
  /** Stops the building when aborted; nothing is left behind. */
  signal?: AbortSignal;
}

/** Grows whenever the same files would give other pixels. */
const FORMAT = 1;

/**
 * Makes sure that the pixel cache of these images exists at this resolution and gives its path: one file of N × R × R
 * bytes (see docs/reference/files.md). A good one is left alone; a missing or damaged one is built by all cores aside
 * and renamed into place. Two processes asking at once build it once.
 * Throws UserError where the disk refuses or is too small, or an image file is not the catalogued one any more.
 */
export async function ensurePixelCache(options: CacheOptions, terminal: Terminal): Promise<string> {
  const digest = cacheDigest(options);
  const path = join(options.root, 'cache', `${options.resolution}-none-${digest.slice(0, 12)}.pixels`);
  const expectedIndex = describeCache(options, digest);
  if ((await checkCache(path, expectedIndex, options.verify)) === 'good') return path;
  return await writingTo(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const onWait = (who: string) => terminal.say(`Waiting for the pixel cache, which is built by ${who}.`);
    const work = () => buildUnlessGood(path, expectedIndex, options, terminal);
    return await withLock(`${path}.lock`, work, onWait, options.signal);
  });
}

async function buildUnlessGood(
  path: string,
  index: Omit<CacheIndex, 'sha256'>,
  options: CacheOptions,
  terminal: Terminal,
) {
  const state = await checkCache(path, index, options.verify);
  if (state === 'good') return path;
  if (state !== 'missing') terminal.say(`The pixel cache ${path} is damaged (${state}): building it again.`);
  await removeLeftovers(path);
  await requireSpace(path, index.bytes);
  const aside = join(dirname(path), `.${basename(path)}.${process.pid}.tmp`);
  try {
    await allocate(aside, index.bytes);
    await fill(aside, options, terminal);
    const digest = await syncAndHash(aside);
    await rm(`${path}.json`, { force: true });
    await rename(aside, path);
    await syncDirectory(dirname(path));
    await writeFileAtomic(`${path}.json`, `${JSON.stringify({ ...index, sha256: digest })}\n`);
  } catch (error) {
    await rm(aside, { force: true });
    throw error;
  }
  return path;
}

async function fill(aside: string, { root, resolution, sources, workers, signal }: CacheOptions, terminal: Terminal) {
  const setup: CacheSetup = { aside, resolution };
  const tasks = sources.map(
    ({ file, sha256 }, index): CacheTask => ({ path: join(root, file), file, sha256, offset: index * resolution ** 2 }),
  );
  const progress = terminal.progress(`pixel cache at ${resolution}×${resolution}`, tasks.length);
  try {
    await mapInWorkers<CacheTask, void>(new URL('./cache-worker.ts', import.meta.url), setup, tasks, {
      ...(workers === undefined ? {} : { workers }),
      ...(signal === undefined ? {} : { signal }),
      onResult: () => progress.advance(),
    });
  } finally {
    progress.stop();
  }
}

function cacheDigest({ resolution, sources }: CacheOptions): string {
  const lines = sources.map(({ imageId, sha256 }) => `${imageId} ${sha256}`);
  return sha256([`format ${FORMAT} resolution ${resolution} kernel ${KERNEL}`, ...lines].join('\n'));
}

function describeCache({ resolution, sources }: CacheOptions, digest: string): Omit<CacheIndex, 'sha256'> {
  const ids = sources.map(({ imageId }) => imageId);
  const bytes = ids.length * resolution ** 2;
  return { format: FORMAT, resolution, normalisation: 'none', kernel: KERNEL, digest, bytes, ids };
}

/** What a killed builder left; the lock says that no living one is at work. */
async function removeLeftovers(path: string): Promise<void> {
  const names = await readdir(dirname(path));
  const leftovers = names.filter((name) => name.startsWith(`.${basename(path)}.`) && name.endsWith('.tmp'));
  for (const name of leftovers) await rm(join(dirname(path), name), { force: true });
}

async function requireSpace(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dirname(path));
  const gib = (count: number) => (count / 2 ** 30).toFixed(2);
  if (bavail * bsize >= bytes) return;
  throw new UserError(
    `Not enough room for ${path}: it takes ${gib(bytes)} GiB and ${gib(bavail * bsize)} GiB are free.`,
  );
}

async function allocate(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'w');
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
}

async function syncAndHash(path: string): Promise<string> {
  const handle = await open(path, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
  return await sha256File(path);
}
