import { nativeKernelsLoaded } from '../native-kernels.ts';
import { tf } from '../tf.ts';
import { runNative } from './native.ts';

/**
 * x·gate, x [N,H,W,C] and gate [N,1,1,C] float32: the scaling of squeeze-and-excitation (Hu et al., 2018, equation 4). On the
 * processor operations of our own; the gradient takes dx = dy·gate and dgate = Σ dy·x over H and W in one reading.
 */
export function scaleByGate(x: tf.Tensor4D, gate: tf.Tensor4D): tf.Tensor4D {
  if (!nativeKernelsLoaded()) return x.mul(gate);
  const scale = tf.customGrad((...args) => {
    const [input, factor, save] = args as unknown as [tf.Tensor4D, tf.Tensor4D, tf.GradSaveFunc];
    save([input, factor]);
    const value = runNative('HarnessGate', [], [input, factor], 1)[0]!;
    const gradFunc = (dy: tf.Tensor, saved: tf.Tensor[]) => runNative('HarnessGateGrad', [], [dy, ...saved], 2);
    return { value, gradFunc };
  });
  return scale(x, gate) as tf.Tensor4D;
}
