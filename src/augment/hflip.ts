import { z } from 'zod';
import type { Rng } from '../core/random.ts';
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
  for (let row = 0; row < sample.size; row++) {
    sample.image.subarray(row * sample.size, (row + 1) * sample.size).reverse();
    sample.mask.subarray(row * sample.size, (row + 1) * sample.size).reverse();
  }
}
