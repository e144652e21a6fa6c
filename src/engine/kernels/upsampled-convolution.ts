import { tf } from '../tf.ts';

/**
 * A 3×3 'same' convolution of x up-sampled twofold to the nearest neighbour, without the up-sampled array.
 * x [N,H,W,C], kernel [3,3,C,K] → [N,2H,2W,K]. Each input pixel u[2i] = u[2i+1] = x[i] meets neighbouring taps, so the two
 * steps are one transposed convolution of stride 2: y[p] = Σ_i x[i]·f[p − 2i + 1] with f[t] = w[2 − t] + w[3 − t], and the
 * like for columns. Sixteen taps for every input pixel replace 36.
 */
export function upsampledConvolution(x: tf.Tensor4D, kernel: tf.Tensor4D): tf.Tensor4D {
  const [n, h, w] = x.shape;
  const [, , inputs, outputs] = kernel.shape;
  const spread = tf.matMul(SPREAD(), kernel.reshape([9, inputs * outputs]));
  const filter = spread.reshape([4, 4, inputs, outputs]).transpose([0, 1, 3, 2]) as tf.Tensor4D;
  return tf.conv2dTranspose(x, filter, [n, 2 * h, 2 * w, outputs], 2, 'same');
}

/** f = A·w along one side: rows are t, columns the taps of w. */
const ALONG = [
  [0, 0, 1],
  [0, 1, 1],
  [1, 1, 0],
  [1, 0, 0],
] as const;

/** A ⊗ A, [16, 9]: both sides at once, for kernels written as [9, …]. */
const SPREAD = () =>
  tf.tensor2d(ALONG.flatMap((row) => ALONG.map((column) => row.flatMap((a) => column.map((b) => a * b)))));
