import { open } from 'node:fs/promises';
import sharp from 'sharp';
import { serveTasks } from '../core/worker-pool.ts';
import { writingTo } from './disk.ts';
import { readGrayImage } from './inspect-image.ts';
import { resizeGray } from './resize.ts';

/** What every task of one cache shares. */
export interface CacheSetup {
  /** The file that the threads fill together. */
  aside: string;
  /** Side in pixels. */
  resolution: number;
}

/** One image to put in its place. */
export interface CacheTask {
  path: string;
  file: string;
  /** Of the file, as catalogued. */
  sha256: string;
  /** Where its pixels begin. */
  offset: number;
}

// Each thread works on an image of its own: more threads inside one image would only get in their way.
sharp.concurrency(1);
serveTasks<CacheSetup, CacheTask, void>(async ({ path, file, sha256, offset }, { aside, resolution }) => {
  const pixels = await resizeGray(await readGrayImage(path, file, sha256), resolution);
  await writingTo(aside, () => writeAt(aside, pixels, offset));
});

async function writeAt(path: string, pixels: Uint8Array, offset: number): Promise<void> {
  const handle = await open(path, 'r+');
  try {
    for (let done = 0; done < pixels.length; ) {
      done += (await handle.write(pixels, done, pixels.length - done, offset + done)).bytesWritten;
    }
  } finally {
    await handle.close();
  }
}
