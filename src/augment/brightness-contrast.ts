import { z } from 'zod';

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
