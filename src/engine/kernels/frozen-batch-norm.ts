import { nativeKernelsLoaded } from '../native-kernels.ts';
import { tf } from '../tf.ts';
import {
  activate,
  type BatchStatistics,
  batchNormInfer,
  bend,
  fusedAttributes,
  type NormActivation,
  ownAttributes,
} from './batch-norm.ts';
import { runNative } from './native.ts';

/**
 * Batch normalization by given statistics and then the activation, as batchNormInfer, in training: with gradients by x,
 * gamma and beta. With dz the activation's gradient: dx = dz·γ/√(σ² + ε), dγ = Σ dz·(x − µ)/√(σ² + ε), dβ = Σ dz. Nothing
 * but x is kept. x [N,H,W,C] float32; gamma, beta and the statistics [C].
 */
export function batchNormFrozen(
  x: tf.Tensor4D,
  gamma: tf.Tensor1D,
  beta: tf.Tensor1D,
  statistics: BatchStatistics,
  epsilon: number,
  activation: NormActivation,
): tf.Tensor4D {
  const own = nativeKernelsLoaded();
  const backwards = (dy: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] => {
    if (own) {
      const attributes = ownAttributes(epsilon, activation);
      return runNative('HarnessBatchNormActivationApplyGrad', attributes, [dy, ...saved], 3);
    }
    const [input, scale, , mean, variance] = saved as [tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor, tf.Tensor];
    const inputs = [dy, input, scale, mean, variance, tf.tensor1d([])];
    return runNative('FusedBatchNormGradV3', fusedAttributes(epsilon, false), inputs, 5).slice(0, 3);
  };
  const normalize = tf.customGrad((...args) => {
    const [input, scale, offset] = args as unknown as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
    const save = args[3] as unknown as tf.GradSaveFunc;
    save([input, scale, offset, statistics.mean, statistics.variance]);
    const fused: NormActivation = own ? activation : { name: 'none' };
    return { value: batchNormInfer(input, scale, offset, statistics, epsilon, fused), gradFunc: backwards };
  });
  if (own) return normalize(x, gamma, beta) as tf.Tensor4D;
  return activate(normalize(bend(x, activation), gamma, beta) as tf.Tensor4D, activation);
}
