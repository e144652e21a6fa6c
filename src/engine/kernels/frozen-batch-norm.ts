import { nativeKernelsLoaded } from '../native-kernels.ts';
import { tf } from '../tf.ts';
import {
  activate,
  type BatchStatistics,
  batchNormInfer,
  bend,
  type NormActivation,
  ownAttributes,
} from './batch-norm.ts';
import { runNative } from './native.ts';

/**
 * Batch normalization by given statistics and then the activation, as batchNormInfer, in training: with a gradient by x,
 * dx = dz·γ/√(σ² + ε), and by nothing else. x [N,H,W,C] float32; gamma, beta and the statistics [C].
 */
export function batchNormFrozen(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  statistics: BatchStatistics,
  epsilon: number,
  activation: NormActivation,
): tf.Tensor4D {
  const { mean, variance } = statistics;
  if (!nativeKernelsLoaded()) {
    const scale = gamma.div(variance.add(epsilon).sqrt());
    const normalized = bend(x, activation)
      .mul(scale)
      .add(beta.sub(mean.mul(scale)));
    return activate(normalized as tf.Tensor4D, activation);
  }
  const attributes = ownAttributes(epsilon, activation);
  const normalize = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor4D, tf.GradSaveFunc];
    save([input, gamma, beta, mean, variance]);
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) =>
      runNative('HarnessBatchNormActivationApplyGrad', attributes, [dy, ...saved], 1)[0]!;
    return { value: batchNormInfer(input, gamma, beta, statistics, epsilon, activation), gradFunc };
  });
  return normalize(x) as tf.Tensor4D;
}
