import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { inOrder } from './range.ts';
import { anyInside } from './remap.ts';
import { reused } from './reused.ts';
import type { Sample } from './sample.ts';

const share = z.number().gt(0).max(1);

export const randomCropZoomConfig = z.strictObject({
  name: z.literal('random_crop_zoom'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** The side of the square that is cut out, as a share of the image's: uniform between these two. */
  scale: inOrder(share).default([0.8, 1]),
});
export type RandomCropZoomConfig = z.infer<typeof randomCropZoomConfig>;

/** A square of whole pixels inside an image. */
interface Crop {
  left: number;
  top: number;
  side: number;
}

const cut = reused((length) => new Uint8Array(length));
const blends = reused((length) => new Float64Array(length));
const firsts = reused((length) => new Int32Array(length));
const seconds = reused((length) => new Int32Array(length));
const shares = reused((length) => new Float64Array(length));

/**
 * Cuts a square of whole pixels out at a random place with probability p and enlarges it to the image's size, both with
 * half-pixel centres: the image bilinear (at the cut's rim its own pixels go on), the mask by the nearest pixel.
 */
export function randomCropZoom({ p, scale: [least, most] }: RandomCropZoomConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(p)) return;
  const { size, image, mask } = sample;
  const side = Math.max(1, Math.round(rng.between(least, most) * size));
  const crop = { side, left: rng.integer(0, size - side), top: rng.integer(0, size - side) };
  if (side === size) return;
  zoomBilinear(image, size, crop);
  zoomNearest(mask, size, crop);
}

function zoomBilinear(pixels: Uint8Array, size: number, { left, top, side }: Crop): void {
  const source = copyRows(pixels, size, top, side);
  const { before, after, weight } = neighbours(side, size);
  // Down first: a blend of two rows is as short as the cut is wide.
  const blend = blends(side);
  for (let y = 0, target = 0; y < size; y++) {
    const upper = before[y]! * size + left;
    const lower = after[y]! * size + left;
    const down = weight[y]!;
    for (let x = 0; x < side; x++) {
      const value = source[upper + x]!;
      blend[x] = value + (source[lower + x]! - value) * down;
    }
    for (let x = 0; x < size; x++, target++) {
      const value = blend[before[x]!]!;
      pixels[target] = value + (blend[after[x]!]! - value) * weight[x]! + 0.5;
    }
  }
}

/** For each of `size` places, the two of `side` source pixels around it, and the second one's share. */
function neighbours(side: number, size: number) {
  const before = firsts(size);
  const after = seconds(size);
  const weight = shares(size);
  for (let i = 0; i < size; i++) {
    const at = Math.min(side - 1, Math.max(0, ((i + 0.5) * side) / size - 0.5));
    before[i] = Math.floor(at);
    after[i] = Math.min(side - 1, before[i]! + 1);
    weight[i] = at - before[i]!;
  }
  return { before, after, weight };
}

function zoomNearest(mask: Uint8Array, size: number, { left, top, side }: Crop): void {
  // Most masks are empty.
  if (!anyInside(mask)) return;
  const source = copyRows(mask, size, top, side);
  const nearest = firsts(size);
  for (let i = 0; i < size; i++) nearest[i] = Math.floor(((i + 0.5) * side) / size);
  for (let y = 0, target = 0; y < size; y++) {
    const row = nearest[y]! * size + left;
    for (let x = 0; x < size; x++, target++) mask[target] = source[row + nearest[x]!]!;
  }
}

/** The rows of a cut, as wide as the image. */
function copyRows(pixels: Uint8Array, size: number, top: number, side: number): Uint8Array {
  const source = cut(side * size);
  source.set(pixels.subarray(top * size, (top + side) * size));
  return source;
}
