import { nativeKernelsLoaded } from '../native-kernels.ts';
import { tf } from '../tf.ts';
import { activate, bend, type NormActivation, ownAttributes } from './batch-norm.ts';
import { type Attribute, runNative } from './native.ts';

/**
 * Group normalization (Wu and He, 2018, https://arxiv.org/abs/1803.08494, equations 1 to 7): every image's channels are
 * normalized by the mean and variance of their group over height and width; then the activation. On the processor one
 * operation of our own, and one for the gradient that takes everything again from x; elsewhere the sum of TensorFlow's.
 * x [N,H,W,C] float32; gamma and beta [C]; `groups` divides C.
 */
export function groupNorm(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  { groups, epsilon }: { groups: number; epsilon: number },
  activation: NormActivation,
): tf.Tensor4D {
  if (!nativeKernelsLoaded()) {
    return activate(composedGroupNorm(bend(x, activation), gamma, beta, groups, epsilon), activation);
  }
  const attributes: Attribute[] = [
    ...ownAttributes(epsilon, activation),
    { name: 'groups', type: 'int', value: groups },
  ];
  const normalize = tf.customGrad((...args) => {
    const [input, scale, offset] = args as unknown as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
    const save = args[3] as unknown as tf.GradSaveFunc;
    const outputs = runNative('HarnessGroupNormActivation', attributes, [input, scale, offset], 3);
    const [y, mean, variance] = outputs as [tf.Tensor4D, tf.Tensor2D, tf.Tensor2D];
    save([input, scale, offset, mean, variance]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      runNative('HarnessGroupNormActivationGrad', attributes, [dy, ...saved], 3);
    return { value: y, gradFunc };
  });
  return normalize(x, gamma, beta) as tf.Tensor4D;
}

/**
 * The same of TensorFlow's operations. What is as large as x is met by factors and terms of one number for each channel
 * of an image, and only x is kept. With x̂ = (x − µ)/σ and sums over a group: dx = (γ·dy − mean(γ·dy) − x̂·mean(γ·dy·x̂))/σ.
 */
function composedGroupNorm(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  groups: number,
  epsilon: number,
): tf.Tensor4D {
  const [n, , , channels] = x.shape;
  /** Means of what each channel of an image has, [N,1,1,C], over its group; the same shape. */
  const overGroups = (byChannel: tf.Tensor) => {
    const mean = byChannel.reshape([n, groups, channels / groups]).mean(2, true);
    return mean.tile([1, 1, channels / groups]).reshape([n, 1, 1, channels]);
  };
  const normalize = tf.customGrad((...args) => {
    const [input, scale, offset] = args as unknown as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
    const save = args[3] as unknown as tf.GradSaveFunc;
    const mean = overGroups(input.mean([1, 2], true));
    const inverse = overGroups(tf.squaredDifference(input, mean).mean([1, 2], true))
      .add(epsilon)
      .rsqrt();
    const slope = inverse.mul(scale);
    save([input, scale, mean, inverse]);
    const value = input.mul(slope).add(offset.sub(mean.mul(slope)));
    const gradFunc = (dy: tf.Tensor, [saved, scaleAgain, meanAgain, inverseAgain]: tf.Tensor[]) => {
      const meanDy = dy.mean([1, 2], true);
      const meanDyXhat = dy.mul(saved!.sub(meanAgain!)).mean([1, 2], true).mul(inverseAgain!);
      const [first, second] = [meanDy, meanDyXhat].map((mean) => overGroups(mean.mul(scaleAgain!)));
      // dx = dy·a + x·b + c.
      const b = second!.mul(inverseAgain!.square()).neg();
      const c = first!.mul(inverseAgain!).add(b.mul(meanAgain!)).neg();
      const dx = dy.mul(inverseAgain!.mul(scaleAgain!)).add(saved!.mul(b)).add(c);
      const area = saved!.shape[1]! * saved!.shape[2]!;
      const byChannel = (mean: tf.Tensor) => mean.sum([0, 1, 2]).mul(area);
      return [dx, byChannel(meanDyXhat), byChannel(meanDy)];
    };
    return { value, gradFunc };
  });
  return normalize(x, gamma, beta) as tf.Tensor4D;
}
