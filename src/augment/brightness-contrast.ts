import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { mapLevels } from './map-levels.ts';
import type { Sample } from './sample.ts';

export const brightnessContrastConfig = z.strictObject({
  name: z.literal('brightness_contrast'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** Added to every pixel: uniform in ±brightness, as a share of the full range 255. */
  brightness: z.number().min(0).max(1).default(0.2),
  /** Distance from mid-grey is multiplied by 1 + uniform in ±contrast. */
  contrast: z.number().min(0).max(1).default(0.2),
});
export type BrightnessContrastConfig = z.infer<typeof brightnessContrastConfig>;

/** x ← 127.5 + (x − 127.5)·(1 + contrast) + 255·brightness, clipped to 0 to 255; the mask stays. */
export function brightnessContrast(config: BrightnessContrastConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const shift = 255 * rng.between(-config.brightness, config.brightness);
  const factor = 1 + rng.between(-config.contrast, config.contrast);
  mapLevels(sample.image, (x) => 127.5 + (x - 127.5) * factor + shift);
}
