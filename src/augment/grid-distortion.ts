import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { PIXEL, remap } from './remap.ts';
import { reused } from './reused.ts';
import type { Sample } from './sample.ts';

export const gridDistortionConfig = z.strictObject({
  name: z.literal('grid_distortion'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** Cells along each side. */
  num_steps: z.int().min(1).max(64).default(5),
  /** The width that each cell is taken from is multiplied by 1 + uniform in ± this, then all are fitted to the image. */
  distort_limit: z.number().min(0).max(0.9).default(0.3),
});
export type GridDistortionConfig = z.infer<typeof gridDistortionConfig>;

const across = reused((length) => new Int32Array(length));
const down = reused((length) => new Int32Array(length));

/**
 * Stretches some columns and rows of image and mask and squeezes others, with probability p: a grid of equal cells is
 * filled from one of unequal cells over the whole image, so nothing comes from outside.
 */
export function gridDistortion(config: GridDistortionConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const { size } = sample;
  const [columns, rows] = [across(size), down(size)];
  drawAxis(config, size, columns, rng);
  drawAxis(config, size, rows, rng);
  remap(sample, 'constant', (row, xs, ys) => {
    xs.set(columns.subarray(0, size));
    ys.fill(rows[row]!, 0, size);
  });
}

/** Where the pixels along one axis come from, in 1/65536 pixel. */
function drawAxis(config: GridDistortionConfig, size: number, sources: Int32Array, rng: Rng): void {
  const { num_steps: steps, distort_limit: limit } = config;
  const widths = Array.from({ length: steps }, () => 1 + rng.between(-limit, limit));
  const fit = size / widths.reduce((sum, width) => sum + width, 0);
  let edge = 0;
  for (let cell = 0, i = 0; cell < steps; cell++) {
    const width = widths[cell]! * fit;
    for (; i < size && (i + 0.5) * steps < (cell + 1) * size; i++) {
      const at = edge + (((i + 0.5) * steps) / size - cell) * width - 0.5;
      // Within half a pixel of the rim its own pixels go on.
      sources[i] = Math.round(Math.min(size - 1, Math.max(0, at)) * PIXEL);
    }
    edge += width;
  }
}
