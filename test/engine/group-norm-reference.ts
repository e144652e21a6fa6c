import type { NormActivation } from '../../src/engine/kernels/batch-norm.ts';
import { groupNorm } from '../../src/engine/kernels/group-norm.ts';
import { tf } from '../../src/engine/tf.ts';
import { assertWithin } from './compare.ts';

const ACTIVATIONS: NormActivation[] = [
  { name: 'none' },
  { name: 'relu' },
  { name: 'leaky_relu', alpha: 0.1 },
  { name: 'swish' },
  { name: 'after_leaky_relu', alpha: 0.1 },
];
/** Groups of one channel, of all, of a few; one pixel of width; several blocks and a rest of a row. */
const CASES: [shape: [number, number, number, number], groups: number][] = [
  [[2, 3, 5, 4], 4],
  [[2, 3, 5, 4], 1],
  [[3, 7, 1, 6], 3],
  [[2, 67, 65, 24], 8],
  [[1, 130, 64, 16], 4],
];

/** By the paper, with tfjs's own gradients. */
function plainly([given, gamma, beta]: tf.Tensor[], groups: number, activation: NormActivation): tf.Tensor {
  const leaky = (x: tf.Tensor) => tf.leakyRelu(x, 0.1);
  const x = activation.name === 'after_leaky_relu' ? leaky(given!) : given!;
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const parts = x.reshape([n, h * w, groups, c / groups]);
  const { mean, variance } = tf.moments(parts, [1, 3], true);
  const z = parts.sub(mean).div(variance.add(1e-3).sqrt()).reshape([n, h, w, c]).mul(gamma!).add(beta!);
  if (activation.name === 'swish') return z.mul(z.sigmoid());
  if (activation.name === 'leaky_relu') return leaky(z);
  return activation.name === 'relu' ? z.relu() : z;
}

/** Fails where the kernel or its gradients differ from the paper's by more than rounding. */
export function checkGroupNorm(): void {
  for (const [shape, groups] of CASES) {
    for (const activation of ACTIVATIONS) {
      const draw = (of: number[], mean: number, seed: number) => tf.randomNormal(of, mean, 1, 'float32', seed);
      const inputs = [draw(shape, 0.7, 1), draw([shape[3]], 1, 2), draw([shape[3]], 0, 3)];
      const dy = draw(shape, 0, 4);
      const own = (...args: tf.Tensor[]) => {
        const [x, gamma, beta] = args as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
        return groupNorm(x, gamma, beta, { groups, epsilon: 1e-3 }, activation);
      };
      const wanted = (...args: tf.Tensor[]) => plainly(args, groups, activation);
      const [found, expected] = [own, wanted].map((fn) =>
        tf.tidy(() => [fn(...inputs), ...tf.grads(fn)(inputs, dy)].map((tensor) => tensor.dataSync())),
      );
      ['y', 'dx', 'dgamma', 'dbeta'].forEach((what, i) => {
        assertWithin(2e-5, found![i]!, expected![i]!, `${what} of ${shape} in ${groups} groups, ${activation.name}`);
      });
      tf.dispose([...inputs, dy]);
    }
  }
}
