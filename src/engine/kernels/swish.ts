import { tf } from '../tf.ts';
import { type Attribute, runNative } from './native.ts';

const FLOAT: Attribute[] = [{ name: 'T', type: 'dtype', value: 'float32' }];

/**
 * x·σ(x) (Ramachandran et al., 2017, https://arxiv.org/abs/1710.05941), any shape. The sigmoid is not kept: the gradient
 * takes it again from x, in one operation with dy, since SoftplusGrad(dy, x) = dy·σ(x):
 * dx = dy·σ(x)·(1 + x·(1 − σ(x))) = dy·σ(x)·(1 + x − y) with y = x·σ(x), which the next layer keeps anyway.
 */
export function swish<T extends tf.Tensor>(x: T): T {
  const activate = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    const value = input.mul(tf.sigmoid(input));
    save([input, value]);
    const gradFunc = (dy: tf.Tensor, [savedX, y]: tf.Tensor[]) => {
      const dySigmoid = runNative('SoftplusGrad', FLOAT, [dy, savedX!], 1)[0]!;
      return dySigmoid.mul(savedX!.sub(y!).add(1));
    };
    return { value, gradFunc };
  });
  return activate(x) as T;
}
