import sharp from 'sharp';
import type { GrayImage } from '../core/image.ts';

/**
 * The one way in which pictures are shrunk for the pixel cache. Halving gives each pixel the mean of the four that it
 * covers, which is what a mask's pixel stands for too (see maskAtResolution), in a fifth of Lanczos's time; a line one
 * pixel wide keeps half of its contrast, where Lanczos leaves 0.45. What no halving gives is left to Lanczos with 3
 * lobes, widened when shrinking, so that nothing aliases.
 */
export const KERNEL = 'halve-lanczos3';

/**
 * Resizes a grey picture to a square of the given side, stretching what is not square, with half-pixel centres: halved
 * as long as both sides are even and at least twice as long as wanted, the rest by Lanczos.
 * A picture of that size already is returned as it is.
 */
export async function resizeGray(image: GrayImage, side: number): Promise<Uint8Array> {
  let smaller = image;
  while (canHalve(smaller.width, side) && canHalve(smaller.height, side)) smaller = halve(smaller);
  const { width, height, data } = smaller;
  if (width === side && height === side) return data;
  const { data: resized, info } = await sharp(data, { raw: { width, height, channels: 1 }, limitInputPixels: false })
    .resize(side, side, { fit: 'fill', kernel: 'lanczos3' })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 1 || resized.length !== side * side)
    throw new Error(`Resizing gave ${info.channels} channels.`);
  return resized;
}

function canHalve(length: number, side: number): boolean {
  return length % 2 === 0 && length >= 2 * side;
}

/** The mean of every 2×2 pixels, halves rounded up. */
function halve({ width, height, data }: GrayImage): GrayImage {
  const half = { width: width / 2, height: height / 2, data: new Uint8Array((width * height) / 4) };
  for (let y = 0, i = 0, above = 0; y < half.height; y++, above += width) {
    for (let x = 0; x < half.width; x++, i++, above += 2) {
      const below = above + width;
      half.data[i] = (data[above]! + data[above + 1]! + data[below]! + data[below + 1]! + 2) >> 2;
    }
  }
  return half;
}
