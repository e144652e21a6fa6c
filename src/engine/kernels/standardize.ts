import { tf } from '../tf.ts';

/** Added to the variance, as in the paper; the authors' code adds as much to the deviation. */
const EPSILON = 1e-5;

/**
 * Weight standardization (Qiao et al., 2019, https://arxiv.org/abs/1903.10520v2, section 3): the weights that make one
 * output, of a kernel [k,k,C,K] over its first three axes, with mean 0 and variance 1; shape kept.
 */
export function standardize(kernel: tf.Tensor4D): tf.Tensor4D {
  const { mean, variance } = tf.moments(kernel, [0, 1, 2], true);
  return kernel.sub(mean).mul(variance.add(EPSILON).rsqrt()) as tf.Tensor4D;
}
