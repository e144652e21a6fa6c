import sharp from 'sharp';
import { serveTasks } from '../core/worker-pool.ts';
import { type CachedImage, type CacheSetup, placeImage } from './cache-place.ts';
import { readGrayImage } from './inspect-image.ts';

/** One image to put in its place. */
export interface CacheTask {
  path: string;
  file: string;
  /** Of the file, as catalogued. */
  sha256: string;
  /** Its place in the cache, from 0. */
  index: number;
}

// Each thread works on an image of its own: more threads inside one image would only get in their way.
sharp.concurrency(1);
serveTasks<CacheSetup, CacheTask, CachedImage>(async ({ path, file, sha256, index }, setup) => {
  return await placeImage(await readGrayImage(path, file, sha256, setup.normalisation), index, setup);
});
