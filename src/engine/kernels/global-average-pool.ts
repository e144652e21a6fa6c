import { tf } from '../tf.ts';

/**
 * The mean over height and width (Lin et al., 2014, section 3.2), [N,H,W,C] → [N,1,1,C]. Its gradient is dy / (H·W) for
 * every pixel, spread without the array of ones that tfjs would multiply by.
 */
export function globalAveragePool(x: tf.Tensor4D): tf.Tensor4D {
  const [, h, w] = x.shape;
  const pool = tf.customGrad((...args) => {
    const [input] = args as unknown as [tf.Tensor4D];
    const value = input.mean([1, 2], true);
    const gradFunc = (dy: tf.Tensor) => tf.broadcastTo(dy.div(h * w), x.shape);
    return { value, gradFunc };
  });
  return pool(x) as tf.Tensor4D;
}
