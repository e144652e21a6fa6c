import { closeSync, openSync, writeSync } from 'node:fs';
import sharp from 'sharp';
import { sha256 } from '../core/atomic-file.ts';
import { serveTasks } from '../core/worker-pool.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import { writingTo } from './disk.ts';
import { readGrayImage } from './inspect-image.ts';
import { resizeGray } from './resize.ts';

/** What every task of one cache shares. */
export interface CacheSetup {
  /** The file that the threads fill together. */
  aside: string;
  /** Side in pixels. */
  resolution: number;
  normalisation: NormalisationConfig;
}

/** One image to put in its place. */
export interface CacheTask {
  path: string;
  file: string;
  /** Of the file, as catalogued. */
  sha256: string;
  /** Its place in the cache, from 0. */
  index: number;
}

/** An image that is in its place. */
export interface CachedImage {
  index: number;
  /** Of its pixels. */
  sha256: string;
}

// Each thread works on an image of its own: more threads inside one image would only get in their way.
sharp.concurrency(1);
serveTasks<CacheSetup, CacheTask, CachedImage>(async (task, { aside, resolution, normalisation }) => {
  const image = await readGrayImage(task.path, task.file, task.sha256, normalisation);
  const pixels = await resizeGray(image, resolution);
  await writingTo(aside, async () => writeAt(aside, pixels, task.index * resolution ** 2));
  return { index: task.index, sha256: sha256(pixels) };
});

/** Without giving the thread away: every wait for it would cost more than the writing, which goes to memory. */
function writeAt(path: string, pixels: Uint8Array, offset: number): void {
  const file = openSync(path, 'r+');
  try {
    for (let done = 0; done < pixels.length; ) {
      done += writeSync(file, pixels, done, pixels.length - done, offset + done);
    }
  } finally {
    closeSync(file);
  }
}
