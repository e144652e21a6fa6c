import { z } from 'zod';
import { applyAdam } from '../engine/kernels/adam.ts';
import { applyGradientDescent } from '../engine/kernels/gradient-descent.ts';
import { adamConfig, correctRate } from './adam.ts';
import type { Optimizer } from './optimizer.ts';

export const adamwConfig = adamConfig.extend({
  name: z.literal('adamw'),
  /** The share of a weight that one update at a learning rate of 1 would take away. */
  weight_decay: z.number().min(0).default(0.01),
});
export type AdamwConfig = z.infer<typeof adamwConfig>;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2019, https://arxiv.org/abs/1711.05101, algorithm 2, with the
 * schedule's rate in both terms, as PyTorch and Keras have it): w ← w − lr·λ·w, then Adam's step. What has one axis or none,
 * biases and the scales and offsets of normalizations, does not decay: pulling those to zero is no regularization.
 */
export function adamw({ weight_decay, ...constants }: AdamwConfig): Optimizer {
  return {
    slots: ['m', 'v'],
    rates: (lr, update) => [correctRate(lr, update, constants), lr * weight_decay],
    step: (weight, gradient, [m, v], [rate, decay]) => {
      if (weight.shape.length > 1) applyGradientDescent(weight, weight, decay!);
      applyAdam(weight, m!, v!, gradient, rate!, constants);
    },
  };
}
