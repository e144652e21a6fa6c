import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { mapLevels } from './map-levels.ts';
import type { Sample } from './sample.ts';

export const brightnessConfig = z.strictObject({
  name: z.literal('brightness'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** Added to every pixel: uniform in ± this share of the full range 255. */
  limit: z.number().min(0).max(1).default(0.2),
});
export type BrightnessConfig = z.infer<typeof brightnessConfig>;

/** x ← x + 255·b, clipped to 0 to 255, with probability p; the mask stays. */
export function brightness({ p, limit }: BrightnessConfig, { image }: Sample, rng: Rng): void {
  if (!rng.chance(p)) return;
  const shift = 255 * rng.between(-limit, limit);
  mapLevels(image, (x) => x + shift);
}
