import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { borderConfig, PIXEL, remap } from './remap.ts';
import { reused } from './reused.ts';
import type { Sample } from './sample.ts';
import { drawSmoothField, type SmoothField } from './smooth-field.ts';

export const elasticTransformConfig = z.strictObject({
  name: z.literal('elastic_transform'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** Smoothed noise times this is how far pixels move, in pixels. */
  alpha: z.number().min(0).max(10_000).default(120),
  /** Standard deviation of the Gaussian that smooths the noise, in pixels. */
  sigma: z.number().min(0.5).max(200).default(6),
  /** Three points of the image move by up to this many pixels, and all of it with them. */
  alpha_affine: z.number().min(0).max(512).default(3.6),
  border: borderConfig.default('constant'),
});
export type ElasticTransformConfig = z.infer<typeof elasticTransformConfig>;

const fieldX = reused((length) => new Float32Array(length));
const fieldY = reused((length) => new Float32Array(length));
/**
 * Moves every pixel of image and mask by smooth random fields, and the whole by a random affine map, with probability p.
 * Source: Simard, Steinkraus and Platt, Best Practices for Convolutional Neural Networks, 2003, section 2.
 */
export function elasticTransform(config: ElasticTransformConfig, sample: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const { size } = sample;
  const affine = drawAffine(size, config.alpha_affine, rng);
  const across = drawSmoothField(size, config.sigma, fieldX, rng);
  const down = drawSmoothField(size, config.sigma, fieldY, rng);
  placeNodes(across, down, config.alpha, affine);
  remap(sample, { border: config.border, step: across.step }, (row, xs, ys) => {
    placesAtRow(across, row, xs);
    placesAtRow(down, row, ys);
  });
}

/**
 * Turns displacements at nodes into where the nodes come from, in 65536ths of a pixel. What is linear between nodes before an
 * affine map is so after it.
 */
function placeNodes(
  { step, nodes, values: xs }: SmoothField,
  { values: ys }: SmoothField,
  alpha: number,
  { origin, right, below }: Affine,
): void {
  for (let row = 0, i = 0; row < nodes; row++) {
    for (let column = 0; column < nodes; column++, i++) {
      const [x, y] = [column * step + alpha * xs[i]!, row * step + alpha * ys[i]!];
      xs[i] = (origin.x + right.x * x + below.x * y) * PIXEL;
      ys[i] = (origin.y + right.y * x + below.y * y) * PIXEL;
    }
  }
}

/** The nodes of a row of pixels, between two rows of nodes. */
function placesAtRow({ step, nodes, values }: SmoothField, row: number, places: Int32Array): void {
  const upper = Math.floor(row / step) * nodes;
  const down = (row % step) / step;
  for (let node = 0; node < nodes; node++) {
    const value = values[upper + node]!;
    places[node] = value + (values[upper + nodes + node]! - value) * down;
  }
}

interface Point {
  x: number;
  y: number;
}

/** Where (0,0) comes from, and what a step to the right and one downwards are there. */
interface Affine {
  origin: Point;
  right: Point;
  below: Point;
}

/** Three corners of a square in the middle, two thirds of the side wide, come from up to `most` pixels away on each axis. */
function drawAffine(size: number, most: number, rng: Rng): Affine {
  const reach = size / 3;
  const moved = (x: number, y: number): Point => ({ x: x + rng.between(-most, most), y: y + rng.between(-most, most) });
  const centre = (size - 1) / 2;
  const corner = moved(centre - reach, centre - reach);
  const beside = moved(centre + reach, centre - reach);
  const under = moved(centre - reach, centre + reach);
  const right = { x: (beside.x - corner.x) / (2 * reach), y: (beside.y - corner.y) / (2 * reach) };
  const below = { x: (under.x - corner.x) / (2 * reach), y: (under.y - corner.y) / (2 * reach) };
  const back = centre - reach;
  const origin = { x: corner.x - back * (right.x + below.x), y: corner.y - back * (right.y + below.y) };
  return { origin, right, below };
}
