import type { NormActivation } from '../../src/engine/kernels/batch-norm.ts';

export interface Arrays {
  /** [N,H,W,C], flat. */
  x: ArrayLike<number>;
  gamma: ArrayLike<number>;
  beta: ArrayLike<number>;
}

/** Batch normalization by the textbook in float64: two passes over each channel. */
export function normalize({ x: given, gamma, beta }: Arrays, epsilon: number, activation: NormActivation) {
  const x = activation.name === 'after_leaky_relu' ? bend(given, activation.alpha) : given;
  const channels = gamma.length;
  const count = x.length / channels;
  const mean = new Float64Array(channels);
  const variance = new Float64Array(channels);
  for (let i = 0; i < x.length; i++) mean[i % channels]! += x[i]! / count;
  for (let i = 0; i < x.length; i++) variance[i % channels]! += (x[i]! - mean[i % channels]!) ** 2 / count;
  const y = Float64Array.from({ length: x.length }, (_, i) => {
    const c = i % channels;
    return activate(((x[i]! - mean[c]!) / Math.sqrt(variance[c]! + epsilon)) * gamma[c]! + beta[c]!, activation);
  });
  return { y, mean: Float32Array.from(mean), variance: Float32Array.from(variance) };
}

function bend(x: ArrayLike<number>, alpha: number): ArrayLike<number> {
  return Float64Array.from(x, (value) => (value > 0 ? value : value * alpha));
}

function activate(z: number, activation: NormActivation): number {
  switch (activation.name) {
    case 'none':
    case 'after_leaky_relu':
      return z;
    case 'relu':
      return Math.max(z, 0);
    case 'relu6':
      return Math.min(Math.max(z, 0), 6);
    case 'leaky_relu':
      return z > 0 ? z : z * activation.alpha;
    case 'swish':
      return z / (1 + Math.exp(-z));
  }
}
