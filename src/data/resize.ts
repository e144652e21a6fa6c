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
  const inWords = width % 4 === 0 && data.byteOffset % 4 === 0;
  if (inWords) halveWords(data, width, half.data);
  else halveBytes(data, width, half.data);
  return half;
}

function halveBytes(data: Uint8Array, width: number, half: Uint8Array): void {
  for (let i = 0, above = 0; i < half.length; above += width) {
    for (const end = above + width; above < end; i++, above += 2) {
      const below = above + width;
      half[i] = (data[above]! + data[above + 1]! + data[below]! + data[below + 1]! + 2) >> 2;
    }
  }
}

/** The bytes of a word at even places; those at odd places once it is shifted by one. */
const EVEN = 0x00ff00ff;

/**
 * The same by words of four pixels, in less than half the time: sums of four bytes fit the 16 bits that each has when
 * every other byte of a word is masked out. Which end of a word comes first makes no difference.
 */
function halveWords(data: Uint8Array, width: number, half: Uint8Array): void {
  const words = new Int32Array(data.buffer, data.byteOffset, data.length / 4);
  const pairs = new Int16Array(half.buffer);
  const across = width / 4;
  for (let i = 0, above = 0; i < pairs.length; above += across) {
    for (const end = above + across; above < end; i++, above++) {
      const up = words[above]!;
      const down = words[above + across]!;
      const sums = (up & EVEN) + ((up >>> 8) & EVEN) + (down & EVEN) + ((down >>> 8) & EVEN) + 0x00020002;
      pairs[i] = ((sums >>> 2) & 0xff) | ((sums >>> 10) & 0xff00);
    }
  }
}
