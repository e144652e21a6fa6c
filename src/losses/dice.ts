import { z } from 'zod';
import { tf } from '../engine/tf.ts';

export const diceConfig = z.strictObject({
  name: z.literal('dice'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
  /** Added to numerator and denominator, so that two empty masks agree; in pixels of the training resolution. */
  smooth: z.number().positive().default(1),
  /** Dice of each image and then the mean, or of the whole batch at once. */
  per: z.enum(['image', 'batch']).default('batch'),
});
export type DiceConfig = z.infer<typeof diceConfig>;

/**
 * One minus the soft Dice coefficient (Milletari et al., 2016, eq. 2, with the denominator's plain sums):
 * 1 − (2·Σpz + s)/(Σp + Σz + s) with p = σ(logits), over each image or the whole batch, then the mean.
 * logits and masks [N,H,W,1] float32 → scalar in [0, 1].
 */
export function diceLoss({ smooth, per }: DiceConfig, logits: tf.Tensor4D, masks: tf.Tensor4D): tf.Scalar {
  const axes = per === 'image' ? [1, 2, 3] : [0, 1, 2, 3];
  const probabilities = tf.sigmoid(logits);
  const both = probabilities.mul(masks).sum(axes).mul(2).add(smooth);
  const each = probabilities.sum(axes).add(masks.sum(axes)).add(smooth);
  return tf.sub(1, both.div(each)).mean();
}
