import { closeSync, openSync, writeSync } from 'node:fs';
import { sha256 } from '../core/atomic-file.ts';
import type { GrayImage } from '../core/image.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import { writingTo } from './disk.ts';
import { resizeGray } from './resize.ts';

/** Where the images of one cache go. */
export interface CacheSetup {
  /** The file that the threads fill together. */
  aside: string;
  /** Side in pixels. */
  resolution: number;
  normalisation: NormalisationConfig;
}

/** An image that is in its place. */
export interface CachedImage {
  /** Its place in the file, from 0. */
  index: number;
  /** Of its pixels. */
  sha256: string;
}

/**
 * Shrinks a normalised picture (see resizeGray) and writes it where it belongs. Throws UserError where the disk refuses.
 * @param index its place in the file, from 0.
 */
export async function placeImage(
  image: GrayImage,
  index: number,
  { aside, resolution }: CacheSetup,
): Promise<CachedImage> {
  const pixels = await resizeGray(image, resolution);
  await writingTo(aside, async () => writeAt(aside, pixels, index * resolution ** 2));
  return { index, sha256: sha256(pixels) };
}

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
