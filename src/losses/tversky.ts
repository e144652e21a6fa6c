import { z } from 'zod';
import { tf } from '../engine/tf.ts';

export const tverskyConfig = z.strictObject({
  name: z.literal('tversky'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
  /** What a pixel wrongly found costs. */
  alpha: z.number().positive().default(0.3),
  /** What a pixel missed costs. */
  beta: z.number().positive().default(0.7),
  /** Added to numerator and denominator, so that two empty masks agree; in pixels of the training resolution. */
  smooth: z.number().positive().default(1),
  /** The index of each image and then the mean, or of the whole batch at once. */
  per: z.enum(['image', 'batch']).default('batch'),
});
export type TverskyConfig = z.infer<typeof tverskyConfig>;

/**
 * One minus the Tversky index (Salehi et al., 2017, https://arxiv.org/abs/1706.05721, eq. 3, smoothed):
 * 1 − (Σpz + s)/(Σpz + α·Σp(1 − z) + β·Σ(1 − p)z + s) with p = σ(logits), over each image or the whole batch, then the mean.
 * With α = β = ½ it is soft Dice. logits and masks [N,H,W,1] float32, masks 0 or 1 → scalar in [0, 1].
 */
export function tverskyLoss(config: TverskyConfig, logits: tf.Tensor4D, masks: tf.Tensor4D): tf.Scalar {
  const { alpha, beta, smooth, per } = config;
  const axes = per === 'image' ? [1, 2, 3] : [0, 1, 2, 3];
  const probabilities = tf.sigmoid(logits);
  const both = probabilities.mul(masks).sum(axes);
  // The denominator's three sums in others that need no second product of all pixels.
  const each = both
    .mul(1 - alpha - beta)
    .add(probabilities.sum(axes).mul(alpha))
    .add(masks.sum(axes).mul(beta));
  return tf.sub(1, both.add(smooth).div(each.add(smooth))).mean();
}
