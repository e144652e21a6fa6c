import type { tf } from '../tf.ts';
import { runNative } from './native.ts';

/** Half the sum of the squares of x, float32 of any shape, as a scalar (TensorFlow's L2Loss): one pass, no array beside x. */
export function l2Loss(x: tf.Tensor): tf.Scalar {
  return runNative('L2Loss', [{ name: 'T', type: 'dtype', value: 'float32' }], [x], 1)[0] as tf.Scalar;
}
