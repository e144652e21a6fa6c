import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { mapLevels } from './map-levels.ts';
import { inOrder } from './range.ts';
import type { Sample } from './sample.ts';

const percent = z.number().min(1).max(1000);

export const gammaConfig = z.strictObject({
  name: z.literal('gamma'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** The exponent in percent: uniform between these two; below 100 brightens. */
  gamma_limit: inOrder(percent).default([80, 120]),
});
export type GammaConfig = z.infer<typeof gammaConfig>;

/** x ← 255·(x / 255)^g, with probability p; the mask stays. */
export function gamma({ p, gamma_limit: [least, most] }: GammaConfig, { image }: Sample, rng: Rng): void {
  if (!rng.chance(p)) return;
  const exponent = rng.between(least, most) / 100;
  mapLevels(image, (x) => 255 * (x / 255) ** exponent);
}
