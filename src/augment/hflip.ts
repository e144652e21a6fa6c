import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { anyInside } from './remap.ts';
import type { Sample } from './sample.ts';

export const hflipConfig = z.strictObject({
  name: z.literal('hflip'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
});
export type HflipConfig = z.infer<typeof hflipConfig>;

/** Mirrors image and mask left to right with probability p. */
export function hflip({ p }: HflipConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(p)) return;
  mirror(sample.image, sample.size);
  // Most masks are empty.
  if (anyInside(sample.mask)) mirror(sample.mask, sample.size);
}

function mirror(pixels: Uint8Array, size: number): void {
  for (let start = 0; start < pixels.length; start += size) pixels.subarray(start, start + size).reverse();
}
