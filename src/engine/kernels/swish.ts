import { tf } from '../tf.ts';

/**
 * x·sigmoid(x) (Ramachandran et al., 2017), any shape. Only x is kept for the gradient, and (kernel by kernel; within a
 * graph TensorFlow may share it) the sigmoid is computed again: with s = sigmoid(x), dx = dy·s·(1 + x·(1 − s)).
 */
export function swish<T extends tf.Tensor>(x: T): T {
  const activate = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([input]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => {
      const s = tf.sigmoid(saved[0]!);
      return dy.mul(s.mul(saved[0]!.mul(tf.sub(1, s)).add(1)));
    };
    return { value: input.mul(tf.sigmoid(input)), gradFunc };
  });
  return activate(x) as T;
}
