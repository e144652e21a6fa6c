import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { borderConfig, PIXEL, remap } from './remap.ts';
import type { Sample } from './sample.ts';

export const opticalDistortionConfig = z.strictObject({
  name: z.literal('optical_distortion'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** The lens's coefficient k: uniform in ± this. */
  distort_limit: z.number().min(0).max(10).default(0.05),
  /** How far the source's centre is off, right and down: each uniform in ± this many pixels. */
  shift_limit: z.number().min(0).max(1024).default(0.05),
  border: borderConfig.default('constant'),
});
export type OpticalDistortionConfig = z.infer<typeof opticalDistortionConfig>;

/** Pixels from one place that is computed to the next; what lies between is straight. */
const STRAIGHT = 4;

/**
 * Bends image and mask as a lens does, with probability p: what is r from the centre, in sides of the image, comes from
 * r·(1 + k·r² + k·r⁴) (Brown, 1966; both radial coefficients of OpenCV's camera are k), to 0.07 pixels at 512² and k = 2.
 */
export function opticalDistortion(config: OpticalDistortionConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const { size } = sample;
  const k = rng.between(-config.distort_limit, config.distort_limit);
  const centre = (size - 1) / 2;
  const centreX = centre + rng.between(-config.shift_limit, config.shift_limit);
  const centreY = centre + rng.between(-config.shift_limit, config.shift_limit);
  remap(sample, { border: config.border, step: STRAIGHT }, (row, xs, ys) => {
    const y = (row - centre) / size;
    for (let node = 0, i = 0; i < size + STRAIGHT; node++, i += STRAIGHT) {
      const x = (i - centre) / size;
      const square = x * x + y * y;
      const stretch = size * (1 + k * square * (1 + square));
      xs[node] = (centreX + x * stretch) * PIXEL;
      ys[node] = (centreY + y * stretch) * PIXEL;
    }
  });
}
