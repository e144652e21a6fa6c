import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { inOrder } from './range.ts';
import { reused } from './reused.ts';
import type { Sample } from './sample.ts';

const side = z.int().min(3).max(31);

export const blurConfig = z.strictObject({
  name: z.literal('blur'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** The side of the square that each pixel becomes the mean of: an odd number between these two. */
  blur_limit: inOrder(side)
    .refine(([least, most]) => least % 2 === 1 || most > least, 'an odd number among them')
    .default([3, 7]),
});
export type BlurConfig = z.infer<typeof blurConfig>;

const copy = reused((length) => new Uint8Array(length));
const columnSums = reused((length) => new Int32Array(length));

/** Makes every pixel of the image the mean of the square around it, with probability p; the mask stays. */
export function blur({ p, blur_limit: [least, most] }: BlurConfig, { size, image }: Sample, rng: Rng): void {
  if (!rng.chance(p)) return;
  const radius = rng.integer(Math.ceil((least - 1) / 2), Math.floor((most - 1) / 2));
  const source = copy(size * size);
  source.set(image);
  const sums = columnSums(size);
  sums.fill(0, 0, size);
  // At the rim its own pixels go on.
  const inside = (at: number) => Math.min(size - 1, Math.max(0, at));
  for (let row = -radius - 1; row < radius; row++) addRow(sums, source, inside(row) * size, size);
  for (let row = 0; row < size; row++) {
    moveDown(sums, source, inside(row + radius) * size, inside(row - radius - 1) * size, size);
    meanOfColumns(sums, size, radius, image, row * size);
  }
}

function addRow(sums: Int32Array, source: Uint8Array, start: number, size: number): void {
  for (let x = 0; x < size; x++) sums[x] = sums[x]! + source[start + x]!;
}

/** The sums over a row more below and a row less above. */
function moveDown(sums: Int32Array, source: Uint8Array, below: number, above: number, size: number): void {
  for (let x = 0; x < size; x++) sums[x] = sums[x]! + source[below + x]! - source[above + x]!;
}

/** A running sum over the columns around each pixel, divided by the square's area and rounded. */
function meanOfColumns(sums: Int32Array, size: number, radius: number, image: Uint8Array, start: number): void {
  const share = 1 / (2 * radius + 1) ** 2;
  const last = size - 1;
  let sum = 0;
  for (let x = -radius; x < radius; x++) sum += sums[Math.min(last, Math.max(0, x))]!;
  for (let x = 0; x < size; x++) {
    sum += sums[Math.min(last, x + radius)]!;
    image[start + x] = sum * share + 0.5;
    sum -= sums[Math.max(0, x - radius)]!;
  }
}
