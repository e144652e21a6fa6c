import { z } from 'zod';
import { tf } from '../engine/tf.ts';

export const bceConfig = z.strictObject({
  name: z.literal('bce'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
});
export type BceConfig = z.infer<typeof bceConfig>;

/**
 * Binary cross-entropy, mean over all pixels. logits and masks [N,H,W,1] float32 → scalar.
 * With x = logits and z = masks, −z·log σ(x) − (1 − z)·log(1 − σ(x)) is rewritten as max(x, 0) − x·z + log(1 + e^−|x|),
 * which overflows for no x. The gradient σ(x) − z is given as it is.
 */
export function bceLoss(logits: tf.Tensor4D, masks: tf.Tensor4D): tf.Scalar {
  const pixels = logits.size;
  const loss = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    // What is only captured is gone by the time of the gradient.
    save([x, masks]);
    const value = x.relu().sub(x.mul(masks)).add(x.abs().neg().exp().log1p()).mean();
    const gradFunc = (dy: tf.Tensor, [savedX, savedMasks]: tf.Tensor[]) =>
      tf.sigmoid(savedX!).sub(savedMasks!).mul(dy.div(pixels));
    return { value, gradFunc };
  });
  return loss(logits) as tf.Scalar;
}
