import { recomputeAfter } from '../graph/recording.ts';
import { tf } from '../tf.ts';
import { type Attribute, runNative } from './native.ts';

const ATTRIBUTES: Attribute[] = [
  { name: 'dtype', type: 'dtype', value: 'float32' },
  { name: 'T', type: 'dtype', value: 'int32' },
  { name: 'Tseed', type: 'dtype', value: 'int32' },
];

/**
 * Numbers uniform in [0, 1) that are a pure function of a seed, [2] int32 (TensorFlow's StatelessRandomUniform, the
 * Philox generator of Salmon et al., 2011): fed anew, a recorded graph draws anew; fed the same, the same.
 */
export function statelessUniform(shape: readonly number[], seed: tf.Tensor1D): tf.Tensor {
  return runNative('StatelessRandomUniform', ATTRIBUTES, [tf.tensor1d([...shape], 'int32'), seed], 1)[0]!;
}

let stepSeed: tf.Tensor1D | undefined;

/** Lets every random layer that `work` runs draw from this seed, [2] int32, each from a stream of its own. */
export function withStepSeed<T>(seed: tf.Tensor1D, work: () => T): T {
  const outer = stepSeed;
  stepSeed = seed;
  try {
    return work();
  } finally {
    stepSeed = outer;
  }
}

/**
 * Dropout (Srivastava et al., 2014), x of any shape: each unit is zero with probability `rate`, the others divided by
 * 1 − rate. The mask is not kept but drawn again for the gradient.
 * @param stream tells one layer's draws from another's
 * @param noiseShape one draw for each element of this shape, broadcast over x; x's own shape when left out
 * Throws outside of `withStepSeed`.
 */
export function dropout<T extends tf.Tensor>(x: T, rate: number, stream: number, noiseShape = x.shape): T {
  if (stepSeed === undefined)
    throw new Error('Expected a step seed for dropout but it is run outside of withStepSeed.');
  const seed = stepSeed.add(tf.tensor1d([0, stream], 'int32')) as tf.Tensor1D;
  const mask = (from: tf.Tensor1D) =>
    statelessUniform(noiseShape, from)
      .greaterEqual(rate)
      .toFloat()
      .div(1 - rate);
  const drop = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([seed]);
    const gradFunc = (dy: tf.Tensor, [saved]: tf.Tensor[]) =>
      dy.mul(recomputeAfter(dy, () => mask(saved as tf.Tensor1D)));
    return { value: input.mul(mask(seed)), gradFunc };
  });
  return drop(x) as T;
}
