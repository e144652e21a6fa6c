import type { tf } from '../tf.ts';
import { type Attribute, runNative } from './native.ts';

const ATTRIBUTES: Attribute[] = [
  { name: 'T', type: 'dtype', value: 'float32' },
  { name: 'data_format', type: 'string', value: 'NHWC' },
];

/**
 * x + bias over the last axis, x [N,H,W,C] and bias [C]: the operation that TensorFlow joins with the convolution before
 * it. For prediction: it has no gradient.
 */
export function addBias(x: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor4D {
  return runNative('BiasAdd', ATTRIBUTES, [x, bias], 1)[0] as tf.Tensor4D;
}
