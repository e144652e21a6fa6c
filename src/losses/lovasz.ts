import { z } from 'zod';
import { lovaszHinge } from '../engine/kernels/lovasz-hinge.ts';
import type { tf } from '../engine/tf.ts';

export const lovaszConfig = z
  .strictObject({
    name: z.literal('lovasz'),
    /** Its share in a list of losses. */
    weight: z.number().positive().default(1),
    /** The Jaccard index of each image and then the mean, or of the whole batch at once. */
    per: z.enum(['image', 'batch']).default('image'),
    /** true: the mean of the loss for the mask and of the same for the background. */
    symmetric: z.boolean().default(false),
    /** What an image with an empty mask counts, another one counting 1. */
    empty_weight: z.number().positive().default(1),
  })
  .refine(({ per, empty_weight }) => per === 'image' || empty_weight === 1, {
    path: ['empty_weight'],
    error: '1 with per: batch, which has no images to weigh,',
  });
export type LovaszConfig = z.infer<typeof lovaszConfig>;

/**
 * The Lovász hinge (Berman et al., 2018, https://arxiv.org/abs/1705.08790, equations 6, 8 and 9): the convex, piecewise linear
 * extension of one minus the Jaccard index, over each image or the whole batch, then the mean over images.
 * logits and masks [N,H,W,1] float32, masks 0 or 1 → scalar ≥ 0.
 *
 * The mean over images can collapse to empty masks. Where all logits are one b from −1 to 0, an image with a mask loses 1 − b
 * and an empty one 1 + b: with masks on a share q of the images below a half, the best b is −1, nothing found anywhere. With
 * an `empty_weight` below q/(1 − q) (0.29 at the competition's 22 % of images with a mask) it no longer is; where logits scatter,
 * the highest of an empty image pulls from further below, and a smaller one may be needed.
 * `symmetric` is no remedy by itself: it takes from the pull of images with a mask, not from that of empty ones.
 */
export function lovaszLoss(config: LovaszConfig, logits: tf.Tensor4D, masks: tf.Tensor4D): tf.Scalar {
  const { per, symmetric, empty_weight } = config;
  const rows = per === 'image' ? logits.shape[0] : 1;
  const flat: [number, number] = [rows, logits.size / rows];
  const each = lovaszHinge(logits.reshape(flat), masks.reshape(flat), symmetric);
  if (empty_weight === 1) return each.mean();
  const filled = masks.reshape(flat).max(1);
  return each.mul(filled.mul(1 - empty_weight).add(empty_weight)).mean();
}
