import { z } from 'zod';
import { applyGradientDescent } from '../engine/kernels/gradient-descent.ts';
import { applyMomentum } from '../engine/kernels/momentum.ts';
import type { Optimizer } from './optimizer.ts';

export const sgdConfig = z
  .strictObject({
    name: z.literal('sgd'),
    /** The share of the velocity that stays at each update; 0: no velocity. */
    momentum: z.number().min(0).lt(1).default(0.9),
    /** Whether a step looks ahead, to where its velocity would take the weight. */
    nesterov: z.boolean().default(true),
  })
  .refine(({ momentum, nesterov }) => momentum > 0 || !nesterov, {
    path: ['nesterov'],
    error: 'false with momentum 0, which has nowhere to look ahead to,',
  });
export type SgdConfig = z.infer<typeof sgdConfig>;

/**
 * Stochastic gradient descent, with momentum (Sutskever et al., 2013, https://proceedings.mlr.press/v28/sutskever13.html,
 * section 2) in the form of PyTorch: v ← μ·v + g, w ← w − lr·v, or − lr·(g + μ·v) with Nesterov's look ahead.
 */
export function sgd({ momentum, nesterov }: SgdConfig): Optimizer {
  return {
    slots: momentum > 0 ? ['velocity'] : [],
    rates: (lr) => [lr],
    step: (weight, gradient, [velocity], [rate]) => {
      if (velocity === undefined) applyGradientDescent(weight, gradient, rate!);
      else applyMomentum(weight, velocity, gradient, rate!, { momentum, nesterov });
    },
  };
}
