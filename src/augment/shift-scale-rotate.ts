import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { borderConfig, PIXEL, remap } from './remap.ts';
import type { Sample } from './sample.ts';

export const shiftScaleRotateConfig = z.strictObject({
  name: z.literal('shift_scale_rotate'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** Shift right and down: each uniform in ± this share of the side. */
  shift_limit: z.number().min(0).max(1).default(0.0625),
  /** Enlarged by 1 + uniform in ± this. */
  scale_limit: z.number().min(0).max(0.9).default(0.1),
  /** Turned by an angle uniform in ± this, in degrees. */
  rotate_limit: z.number().min(0).max(180).default(45),
  border: borderConfig.default('constant'),
});
export type ShiftScaleRotateConfig = z.infer<typeof shiftScaleRotateConfig>;

/** Of a straight line few pixels say where the others lie: so many that only short pieces of it leave the image. */
const STRAIGHT = 32;

/** Turns and enlarges image and mask about the image's centre, then shifts them, with probability p. */
export function shiftScaleRotate(config: ShiftScaleRotateConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const within = (limit: number) => rng.between(-limit, limit);
  const angle = (within(config.rotate_limit) * Math.PI) / 180;
  const scale = 1 + within(config.scale_limit);
  const shiftX = within(config.shift_limit) * sample.size;
  const shiftY = within(config.shift_limit) * sample.size;
  // The way back, from a pixel of the result to its source: a step to the right there is (cos, −sin) / scale here.
  const [cos, sin] = [Math.cos(angle) / scale, Math.sin(angle) / scale];
  const { size } = sample;
  const centre = (size - 1) / 2;
  remap(sample, { border: config.border, step: STRAIGHT }, (row, xs, ys) => {
    const [left, up] = [-centre - shiftX, row - centre - shiftY];
    fillLine(xs, size, centre + cos * left + sin * up, cos);
    fillLine(ys, size, centre - sin * left + cos * up, -sin);
  });
}

/** A straight line from `first` on, by `slope` for each pixel. */
function fillLine(places: Int32Array, size: number, first: number, slope: number): void {
  const add = Math.round(slope * PIXEL) * STRAIGHT;
  let place = Math.round(first * PIXEL);
  for (let i = 0, node = 0; i < size + STRAIGHT; i += STRAIGHT, node++, place += add) places[node] = place;
}
