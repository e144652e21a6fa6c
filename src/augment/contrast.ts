import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { mapLevels } from './map-levels.ts';
import type { Sample } from './sample.ts';

export const contrastConfig = z.strictObject({
  name: z.literal('contrast'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** Distance from the image's mean is multiplied by 1 + uniform in ± this. */
  limit: z.number().min(0).max(1).default(0.2),
});
export type ContrastConfig = z.infer<typeof contrastConfig>;

/** x ← m + (x − m)·(1 + c), m the image's mean, clipped to 0 to 255, with probability p; the mask stays. */
export function contrast({ p, limit }: ContrastConfig, { image }: Sample, rng: Rng): void {
  if (!rng.chance(p)) return;
  const factor = 1 + rng.between(-limit, limit);
  let sum = 0;
  for (let i = 0; i < image.length; i++) sum += image[i]!;
  const mean = sum / image.length;
  mapLevels(image, (x) => mean + (x - mean) * factor);
}
