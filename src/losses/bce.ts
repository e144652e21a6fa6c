import { z } from 'zod';
import { tf } from '../engine/tf.ts';

export const bceConfig = z.strictObject({
  name: z.literal('bce'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
  /** How many times a pixel of the mask counts. */
  pos_weight: z.number().positive().default(1),
});
export type BceConfig = z.infer<typeof bceConfig>;

/**
 * Binary cross-entropy, mean over all pixels, those of the mask counted pos_weight times. logits and masks of one shape,
 * [N,H,W,1] float32, masks 0 or 1 → scalar ≥ 0.
 * With x = logits and z = masks, −z·log σ(x) − (1 − z)·log(1 − σ(x)) is rewritten as max(x, 0) − x·z + log(1 + e^−|x|),
 * which overflows for no x. The gradient σ(x) − z is given as it is.
 */
export function bceLoss({ pos_weight }: BceConfig, logits: tf.Tensor, masks: tf.Tensor): tf.Scalar {
  const pixels = logits.size;
  const weigh = (each: tf.Tensor, z: tf.Tensor) => (pos_weight === 1 ? each : each.mul(z.mul(pos_weight - 1).add(1)));
  const loss = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    // What is only captured is gone by the time of the gradient.
    save([x, masks]);
    const value = weigh(x.relu().sub(x.mul(masks)).add(x.abs().neg().exp().log1p()), masks).mean();
    const gradFunc = (dy: tf.Tensor, [savedX, savedMasks]: tf.Tensor[]) =>
      weigh(tf.sigmoid(savedX!).sub(savedMasks!), savedMasks!).mul(dy.div(pixels));
    return { value, gradFunc };
  });
  return loss(logits) as tf.Scalar;
}
