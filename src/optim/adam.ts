import { z } from 'zod';
import { type AdamConstants, applyAdam } from '../engine/kernels/adam.ts';
import type { Optimizer } from './optimizer.ts';

export const adamConfig = z.strictObject({
  name: z.literal('adam'),
  /** The share of a gradient's running mean that stays at each update. */
  beta1: z.number().min(0).lt(1).default(0.9),
  /** The same of its square. */
  beta2: z.number().min(0).lt(1).default(0.999),
  /** Added to the root of the squares' mean, so that a weight that has no gradient stays. */
  epsilon: z.number().positive().default(1e-7),
});
export type AdamConfig = z.infer<typeof adamConfig>;

/**
 * Adam (Kingma and Ba, 2015, https://arxiv.org/abs/1412.6980, algorithm 1 in the order of its section 2, with the
 * epsilon outside the correction, as Keras has it): w ← w − lr·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
 */
export function adam(constants: AdamConfig): Optimizer {
  return {
    slots: ['m', 'v'],
    rates: (lr, update) => [correctRate(lr, update, constants)],
    step: (weight, gradient, [m, v], [rate]) => applyAdam(weight, m!, v!, gradient, rate!, constants),
  };
}

/** The learning rate with what makes up for means that begin at zero, at the update counted from 1. */
export function correctRate(lr: number, update: number, { beta1, beta2 }: AdamConstants): number {
  return (lr * Math.sqrt(1 - beta2 ** update)) / (1 - beta1 ** update);
}
