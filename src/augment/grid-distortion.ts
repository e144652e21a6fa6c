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

/** Pixels of a row from one place that is computed to the next: where two cells meet, the corner is cut. */
const STRAIGHT = 4;

const across = reused((length) => new Int32Array(length));
const down = reused((length) => new Int32Array(length));

/**
 * Stretches some columns and rows of image and mask and squeezes others, with probability p: a grid of equal cells is
 * filled from one of unequal cells over the whole image, so nothing comes from outside.
 */
export function gridDistortion(config: GridDistortionConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const { size } = sample;
  const nodes = Math.ceil(size / STRAIGHT) + 1;
  const columns = across(nodes);
  const rows = down(size);
  drawAxis(config, size, { count: nodes, step: STRAIGHT }, columns, rng);
  drawAxis(config, size, { count: size, step: 1 }, rows, rng);
  // Within half a pixel of the rim the image is mirrored.
  remap(sample, { border: 'reflect', step: STRAIGHT }, (row, xs, ys) => {
    xs.set(columns.subarray(0, nodes));
    ys.fill(rows[row]!, 0, nodes);
  });
}

/** Where every `step`-th pixel along one axis comes from, in 65536ths of a pixel. */
function drawAxis(
  { num_steps: cells, distort_limit: limit }: GridDistortionConfig,
  size: number,
  { count, step }: { count: number; step: number },
  places: Int32Array,
  rng: Rng,
): void {
  const widths = Array.from({ length: cells }, () => 1 + rng.between(-limit, limit));
  const fit = cells / widths.reduce((sum, width) => sum + width, 0);
  const side = size / cells;
  for (let i = 0, cell = 0, edge = 0; i < count; i++) {
    const centre = i * step + 0.5;
    for (; cell < cells - 1 && centre >= (cell + 1) * side; cell++) edge += widths[cell]! * fit * side;
    places[i] = Math.round((edge + (centre - cell * side) * widths[cell]! * fit - 0.5) * PIXEL);
  }
}
