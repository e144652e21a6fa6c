import { open, readdir, rename, rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from '../core/lock.ts';
import { cacheKind } from './cache-key.ts';
import type { CachedImage, CacheSetup } from './cache-place.ts';
import { allocate, partialPath, writeDone } from './cache-progress.ts';
import { hasRoom } from './disk.ts';

/**
 * Pictures that were shrunk for the pixel cache while their files were inspected, so that none is decoded twice. They lie
 * in a file of their own until it is known which of them the cache has, which is part of its name.
 */
export interface ShrunkImages {
  /** Where the threads put them, in the order in which the files are inspected. */
  setup: CacheSetup;
  /**
   * Makes them the half-built cache at `path`, which has these and no others, in this order. To be called once, with
   * the cache's lock held and nothing half-built there.
   * @param images by rising `index`.
   */
  becomePartial(path: string, images: readonly CachedImage[]): Promise<void>;
  /** Removes what did not become a cache. */
  close(): Promise<void>;
}

/**
 * Opens a place for `count` pictures, or gives undefined where shrinking ahead would be in vain: a cache at this
 * resolution and normalisation is there or half-built, another process is shrinking, or the disk has no room, which the
 * cache itself will say.
 */
export async function openShrunkImages(
  { root, ...content }: { root: string } & Omit<CacheSetup, 'aside'>,
  count: number,
): Promise<ShrunkImages | undefined> {
  const folder = join(root, 'cache');
  const kind = cacheKind(content);
  const aside = join(folder, `.${kind}.shrunk`);
  const size = content.resolution ** 2;
  const lock = `${aside}.lock`;
  if (await isBegun(folder, kind)) return undefined;
  if (!(await tryLock(lock))) return undefined;
  const close = async () => {
    await rm(aside, { force: true });
    await rm(lock, { force: true });
    // Nothing is left of an ingest that failed; a folder that holds a cache stays.
    await rmdir(folder).catch(() => {});
  };
  // What a killed process left: nobody knows of what files.
  await rm(aside, { force: true });
  if (!(await hasRoom(folder, count * size))) {
    await close();
    return undefined;
  }
  await allocate(aside, count * size);
  const becomePartial = async (path: string, images: readonly CachedImage[]) => {
    await moveUp(aside, size, images);
    await allocate(aside, images.length * size);
    await writeDone(path, images);
    await rename(aside, partialPath(path));
  };
  return { setup: { aside, ...content }, becomePartial, close };
}

async function isBegun(folder: string, kind: string): Promise<boolean> {
  const names = await readdir(folder).catch(() => []);
  return names.some((name) => name.replace(/^\./, '').startsWith(`${kind}-`));
}

/** Closes the gaps that pictures left which the cache has not. None moves beyond one that is still to be moved. */
async function moveUp(path: string, size: number, images: readonly CachedImage[]): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const pixels = new Uint8Array(size);
    for (const [place, { index }] of images.entries()) {
      if (index === place) continue;
      await file.read(pixels, 0, size, index * size);
      await file.write(pixels, 0, size, place * size);
    }
  } finally {
    await file.close();
  }
}
