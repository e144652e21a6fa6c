import { closeSync, openSync, writeSync } from 'node:fs';
import { open, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { sha256 } from '../core/atomic-file.ts';
import type { CachedImage } from './cache-place.ts';

/** A cache that is being built, or that a killed process left half-built. */
export interface CacheProgress {
  /** The file that is filled. */
  aside: string;
  /** Which images are in their places, byte for byte. */
  done: Set<number>;
  /** Notes that an image is in its place. */
  record(image: CachedImage): void;
  close(): void;
}

/** Where a cache is built: beside it, under a name that the next process finds again. */
export function partialPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.partial`);
}

/** The list of what is done: a line `<index> <sha256 of its pixels>` for each image, in no order. */
export function donePath(path: string): string {
  return `${partialPath(path)}.done`;
}

/**
 * Opens the half-built cache at `path`, or begins one of `count` images of `size` bytes each. An image counts as done
 * where the list has it and its pixels have the SHA-256 in the list, so nothing that a kill or a power cut tore is kept.
 * To be called with the cache's lock held.
 */
export async function openProgress(path: string, count: number, size: number): Promise<CacheProgress> {
  const aside = partialPath(path);
  const list = donePath(path);
  // Killed between the renaming and the index: all is there but the last word.
  if ((await isThere(list)) && !(await isThere(aside)) && (await isThere(path))) await rename(path, aside);
  const done = await verifyDone(aside, await readList(list), count, size);
  if (done.size === 0) await rm(list, { force: true });
  await allocate(aside, count * size);
  const file = openSync(list, 'a');
  // A torn last line must not run into the next one.
  writeSync(file, '\n');
  return {
    aside,
    done,
    record: (image) => void writeSync(file, doneLine(image)),
    close: () => closeSync(file),
  };
}

/** Lists images as done in the half-built cache at `path`, where they lie in this order. */
export async function writeDone(path: string, images: readonly CachedImage[]): Promise<void> {
  await writeFile(donePath(path), images.map(({ sha256 }, index) => doneLine({ index, sha256 })).join(''));
}

function doneLine({ index, sha256 }: CachedImage): string {
  return `${index} ${sha256}\n`;
}

/** Removes what a half-built cache consists of. */
export async function removeProgress(path: string): Promise<void> {
  await rm(donePath(path), { force: true });
  await rm(partialPath(path), { force: true });
}

async function readList(list: string): Promise<Map<number, string>> {
  const text = await readFile(list, 'utf8').catch(() => '');
  const images = text.split('\n').map((line) => /^(\d+) ([0-9a-f]{64})$/.exec(line));
  return new Map(images.filter((match) => match !== null).map((match) => [Number(match[1]), match[2]!]));
}

async function verifyDone(aside: string, list: ReadonlyMap<number, string>, count: number, size: number) {
  const done = new Set<number>();
  if (list.size === 0 || !(await isThere(aside))) return done;
  const handle = await open(aside, 'r');
  try {
    const pixels = new Uint8Array(size);
    for (const [index, digest] of list) {
      if (index >= count) continue;
      const { bytesRead } = await handle.read(pixels, 0, size, index * size);
      if (bytesRead === size && sha256(pixels) === digest) done.add(index);
    }
  } finally {
    await handle.close();
  }
  return done;
}

/** Makes a file exactly so long, keeping what is in it. */
export async function allocate(path: string, bytes: number): Promise<void> {
  const handle = await open(path, 'a');
  try {
    await handle.truncate(bytes);
  } finally {
    await handle.close();
  }
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
