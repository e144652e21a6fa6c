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

/**
 * Bends image and mask as a lens does, with probability p: what is r from the centre, in sides of the image, comes from
 * r·(1 + k·r² + k·r⁴) (Brown, 1966; both radial coefficients of OpenCV's camera are k).
 */
export function opticalDistortion(config: OpticalDistortionConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const { size } = sample;
  const k = rng.between(-config.distort_limit, config.distort_limit);
  const centre = (size - 1) / 2;
  const centreX = centre + rng.between(-config.shift_limit, config.shift_limit);
  const centreY = centre + rng.between(-config.shift_limit, config.shift_limit);
  remap(sample, config.border, (row, xs, ys) => bendRow({ k, size, centreX, centreY }, row, xs, ys));
}

interface Lens {
  k: number;
  /** Of the image, in pixels. */
  size: number;
  /** Where the middle of the result comes from. */
  centreX: number;
  centreY: number;
}

function bendRow({ k, size, centreX, centreY }: Lens, row: number, xs: Int32Array, ys: Int32Array): void {
  const centre = (size - 1) / 2;
  const y = (row - centre) / size;
  const yy = y * y;
  const scale = size * PIXEL;
  for (let i = 0; i < size; i++) {
    const x = (i - centre) / size;
    const square = yy + x * x;
    const stretch = scale * (1 + k * square * (1 + square));
    xs[i] = centreX * PIXEL + x * stretch;
    ys[i] = centreY * PIXEL + y * stretch;
  }
}
