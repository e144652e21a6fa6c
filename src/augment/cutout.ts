import { z } from 'zod';
import type { Rng } from '../core/random.ts';
import { inOrder } from './range.ts';
import type { Sample } from './sample.ts';

const share = z.number().gt(0).max(1);

export const cutoutConfig = z.strictObject({
  name: z.literal('cutout'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
  /** How many rectangles: a whole number between these two. */
  num_holes_range: inOrder(z.int().min(1).max(100)).default([1, 2]),
  /** Height of each as a share of the image's: uniform between these two. */
  hole_height_range: inOrder(share).default([0.1, 0.2]),
  /** Its width likewise. */
  hole_width_range: inOrder(share).default([0.1, 0.2]),
  /** The grey level inside. */
  fill: z.int().min(0).max(255).default(0),
  /** What the mask becomes inside; left out: the mask stays. */
  fill_mask: z.literal([0, 1]).optional(),
});
export type CutoutConfig = z.infer<typeof cutoutConfig>;

/**
 * Covers rectangles at random places inside the image, with probability p.
 * Source: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, arXiv 1708.04552.
 */
export function cutout(config: CutoutConfig, { size, image, mask }: Sample, rng: Rng): void {
  if (!rng.chance(config.p)) return;
  const pixels = ([least, most]: readonly [number, number]) => Math.max(1, Math.round(rng.between(least, most) * size));
  const [fewest, most] = config.num_holes_range;
  for (let holes = rng.integer(fewest, most); holes > 0; holes--) {
    const [height, width] = [pixels(config.hole_height_range), pixels(config.hole_width_range)];
    const [top, left] = [rng.integer(0, size - height), rng.integer(0, size - width)];
    for (let start = top * size + left, row = 0; row < height; row++, start += size) {
      image.fill(config.fill, start, start + width);
      if (config.fill_mask !== undefined) mask.fill(config.fill_mask, start, start + width);
    }
  }
}
