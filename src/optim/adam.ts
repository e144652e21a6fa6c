import { z } from 'zod';
import { applyAdam } from '../engine/kernels/adam.ts';
import type { Optimizer } from './optimizer.ts';

export const adamConfig = z.strictObject({
  name: z.literal('adam'),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-7),
});
export type AdamConfig = z.infer<typeof adamConfig>;

/**
 * Adam (Kingma and Ba, 2015, https://arxiv.org/abs/1412.6980, algorithm 1 in the order of its section 2, with the
 * epsilon outside the correction, as Keras has it): w ← w − lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
 */
export function adam(constants: AdamConfig): Optimizer {
  const { beta1, beta2 } = constants;
  return {
    slots: ['m', 'v'],
    rate: (lr, update) => (lr * Math.sqrt(1 - beta2 ** update)) / (1 - beta1 ** update),
    step: (weight, gradient, [m, v], rate) => applyAdam(weight, m!, v!, gradient, rate, constants),
  };
}
