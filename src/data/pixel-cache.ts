import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
// On Linux sharp must be loaded by the main thread before any worker thread loads it (sharp's installation notes).
import 'sharp';
import { sha256File, syncDirectory, writeFileAtomic } from '../core/atomic-file.ts';
import { UserError } from '../core/errors.ts';
import { tryLock, withLock } from '../core/lock.ts';
import type { Terminal } from '../core/terminal.ts';
import { mapInWorkers } from '../core/worker-pool.ts';
import { type CacheIndex, checkCache } from './cache-index.ts';
import { type CacheContent, cachePath, describeCache } from './cache-key.ts';
import type { CachedImage, CacheSetup } from './cache-place.ts';
import { donePath, openProgress, partialPath, removeProgress } from './cache-progress.ts';
import type { CacheTask } from './cache-worker.ts';
import { freeBytes, writingTo } from './disk.ts';
import type { ShrunkImages } from './shrunk-images.ts';

export interface CacheOptions extends CacheContent {
  /** What an existing cache is held against: its index and size (at once), or its SHA-256 too (reads it all). */
  verify: 'size' | 'sha256';
  /** Of the inspection just made: what it has shrunk already, and of which of its files, in the order of `sources`. */
  shrunk?: { by: ShrunkImages; images: readonly CachedImage[] };
  /** Threads; as many as the machine runs at once when left out. */
  workers?: number;
  /** Stops the building when aborted; the next call goes on from there. */
  signal?: AbortSignal;
}

/**
 * Makes sure that the pixel cache of these images exists at this resolution and normalisation and gives its path: one
 * file of N × R × R bytes (see docs/reference/files.md). A good one is left alone; a missing or damaged one is built by
 * all cores aside and renamed into place, going on from what a killed process left. Two processes asking at once build
 * it once.
 * Throws UserError where the disk refuses or is too small, or an image file is not the catalogued one any more.
 */
export async function ensurePixelCache(options: CacheOptions, terminal: Terminal): Promise<string> {
  const path = cachePath(options);
  const index = describeCache(options);
  if ((await checkCache(path, index, options.verify)) === 'good') return path;
  return await writingTo(path, async () => {
    await mkdir(dirname(path), { recursive: true });
    const onWait = (who: string) => terminal.say(`Waiting for the pixel cache, which is built by ${who}.`);
    const work = () => buildUnlessGood(path, index, options, terminal);
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
  if (state === 'good') {
    await removeProgress(path);
    return path;
  }
  const begun = await stat(donePath(path)).then(
    () => true,
    () => false,
  );
  if (state !== 'missing' && !begun) {
    terminal.say(`The pixel cache ${path} is damaged (${state}): building it again.`);
  }
  await removeAbandoned(path);
  const { shrunk } = options;
  if (state === 'missing' && !begun) await shrunk?.by.becomePartial(path, shrunk.images);
  await requireSpace(path, index.bytes);
  try {
    await fill(path, options, terminal);
    const digest = await syncAndHash(partialPath(path));
    await rm(`${path}.json`, { force: true });
    await rename(partialPath(path), path);
    await syncDirectory(dirname(path));
    await writeFileAtomic(`${path}.json`, `${JSON.stringify({ ...index, sha256: digest })}\n`);
    await removeProgress(path);
  } catch (error) {
    // Stopped is not failed: the next process goes on from here.
    if (options.signal?.aborted !== true) await removeProgress(path);
    throw error;
  }
  return path;
}

async function fill(path: string, options: CacheOptions, terminal: Terminal): Promise<void> {
  const { root, resolution, normalisation, sources, workers, signal } = options;
  const { aside, done, record, close } = await openProgress(path, sources.length, resolution ** 2);
  if (done.size > 0 && options.shrunk === undefined) {
    terminal.say(`${done.size} of ${sources.length} images are in the pixel cache already: going on from there.`);
  }
  const setup: CacheSetup = { aside, resolution, normalisation };
  const tasks = sources
    .map(({ file, sha256 }, index): CacheTask => ({ path: join(root, file), file, sha256, index }))
    .filter(({ index }) => !done.has(index));
  if (tasks.length === 0) return close();
  const progress = terminal.progress(`pixel cache at ${resolution}×${resolution}`, tasks.length);
  try {
    await mapInWorkers<CacheTask, CachedImage>(new URL('./cache-worker.ts', import.meta.url), setup, tasks, {
      ...(workers === undefined ? {} : { workers }),
      inFlight: 2,
      ...(signal === undefined ? {} : { signal }),
      onResult: (image) => {
        record(image);
        progress.advance();
      },
    });
  } finally {
    progress.stop();
    close();
  }
}

/**
 * Half-built caches of other images at the same resolution and normalisation: the key has changed since, so nobody goes
 * on with them. One whose lock a living process has is left alone.
 */
async function removeAbandoned(path: string): Promise<void> {
  const folder = dirname(path);
  const kind = basename(path).split('-').slice(0, -1).join('-');
  const pattern = new RegExp(`^\\.(${kind}-[0-9a-f]{12}\\.pixels)\\.partial(\\.done)?$`);
  const names = new Set((await readdir(folder)).map((name) => pattern.exec(name)?.[1]));
  for (const name of names) {
    if (name === undefined || name === basename(path)) continue;
    const other = join(folder, name);
    if (!(await tryLock(`${other}.lock`))) continue;
    await removeProgress(other);
    await rm(`${other}.lock`, { force: true });
  }
}

async function requireSpace(path: string, bytes: number): Promise<void> {
  const free = await freeBytes(dirname(path));
  // What is there of a half-built one is part of it already.
  const there = await stat(partialPath(path)).then(
    ({ blocks }) => blocks * 512,
    () => 0,
  );
  const gib = (count: number) => (count / 2 ** 30).toFixed(2);
  if (free + there >= bytes) return;
  throw new UserError(`Not enough room for ${path}: it takes ${gib(bytes)} GiB and ${gib(free)} GiB are free.`);
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
