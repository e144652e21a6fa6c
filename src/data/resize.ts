import sharp from 'sharp';
import type { GrayImage } from '../core/image.ts';

/**
 * The one kernel of the pixel cache: Lanczos with 3 lobes, which keeps thin lines (a pleural line is one or two pixels
 * wide) and is widened when shrinking, so nothing aliases.
 */
export const KERNEL = 'lanczos3';

/**
 * Resizes a grey picture to a square of the given side, stretching what is not square, with half-pixel centres.
 * A picture of that size already is returned as it is.
 */
export async function resizeGray({ width, height, data }: GrayImage, side: number): Promise<Uint8Array> {
  if (width === side && height === side) return data;
  const { data: resized, info } = await sharp(data, { raw: { width, height, channels: 1 }, limitInputPixels: false })
    .resize(side, side, { fit: 'fill', kernel: KERNEL })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 1 || resized.length !== side * side)
    throw new Error(`Resizing gave ${info.channels} channels.`);
  return resized;
}
