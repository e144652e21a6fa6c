import { tf } from '../engine/tf.ts';

/**
 * Gradients shortened together so that their common norm is at most `limit`, and the norm that they had, a scalar (Pascanu et
 * al., 2013, https://arxiv.org/abs/1211.5063, algorithm 1). One that is no number makes all of them none.
 */
export function clipGradients(
  gradients: readonly tf.Tensor[],
  limit: number,
): { norm: tf.Scalar; clipped: tf.Tensor[] } {
  const norm = tf.addN(gradients.map((gradient) => gradient.square().sum())).sqrt() as tf.Scalar;
  // Where the norm is zero the quotient is infinite, and the factor 1.
  const factor = tf.minimum(1, tf.div(limit, norm));
  return { norm, clipped: gradients.map((gradient) => gradient.mul(factor)) };
}
