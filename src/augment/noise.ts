import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { inOrder } from './range.ts';
import type { Sample } from './sample.ts';
import { nextXorshift } from './xorshift.ts';

const share = z.number().min(0).max(1);

export const noiseConfig = z.strictObject({
  name: z.literal('noise'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** Standard deviation as a share of the full range 255: uniform between these two. */
  std_range: inOrder(share).default([0.0125, 0.0275]),
});
export type NoiseConfig = z.infer<typeof noiseConfig>;

/** Radii and angles that normal numbers are made of: 64 of each, in equal steps of probability. */
const SIDE = 64;
const STANDARD = Float64Array.from({ length: SIDE * SIDE }, (_, i) => {
  const radius = Math.sqrt(-2 * Math.log((Math.floor(i / SIDE) + 0.5) / SIDE));
  return radius * Math.cos((2 * Math.PI * ((i % SIDE) + 0.5)) / SIDE);
});

const scaled = new Float64Array(SIDE * SIDE);

/**
 * Adds normal noise to every pixel of the image, clipped to 0 to 255, with probability p; the mask stays. Each pixel's is
 * drawn from 4,096 numbers that Box and Muller's formula (1958) makes of evenly spread ones: up to 3.1 deviations.
 */
export function noise({ p, std_range: [least, most] }: NoiseConfig, { image }: Sample, rng: Rng): void {
  if (!rng.chance(p)) return;
  const deviation = 255 * rng.between(least, most);
  // Half a level more: what follows rounds down.
  const numbers = scaled;
  for (let i = 0; i < numbers.length; i++) numbers[i] = STANDARD[i]! * deviation + 0.5;
  for (let i = 0, state = rng.integer(1, 2 ** 31 - 1); i < image.length; i++) {
    state = nextXorshift(state);
    const level = image[i]! + numbers[state >>> 20]!;
    image[i] = level < 0 ? 0 : level > 255 ? 255 : level;
  }
}
