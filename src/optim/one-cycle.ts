import { z } from 'zod';
import { halfCosine } from './cosine.ts';
import { LOWEST_TOO_HIGH, lowestAtMostHighest, type Schedule } from './schedule.ts';

export const oneCycleConfig = z
  .strictObject({
    name: z.literal('one_cycle'),
    /** The highest learning rate. */
    lr: z.number().positive(),
    /** The rate of the last update. */
    min_lr: z.number().min(0).default(0),
    /** The rate of the first update, as a share of lr. */
    start: z.number().gt(0).max(1).default(0.04),
    /** The share of the updates over which the rate rises. */
    rise: z.number().gt(0).lt(1).default(0.3),
    /** Along half cosines, or straight lines. */
    shape: z.enum(['cosine', 'linear']).default('cosine'),
  })
  .refine(lowestAtMostHighest, LOWEST_TOO_HIGH);
export type OneCycleConfig = z.infer<typeof oneCycleConfig>;

/**
 * One rise from start·lr to lr and one fall to min_lr over the whole run (Smith and Topin, 2018,
 * https://arxiv.org/abs/1708.07120, section 3, whose lines are straight; half cosines, as in PyTorch's OneCycleLR, whose
 * first and last update this has too).
 */
export function oneCycle({ lr, min_lr, start, rise, shape }: OneCycleConfig): Schedule {
  const between = shape === 'cosine' ? halfCosine : straight;
  return ({ update, updates }) => {
    const top = Math.max(0, rise * updates - 1);
    if (update < top) return between(start * lr, lr, update / top);
    return between(lr, min_lr, Math.min(1, (update - top) / Math.max(1, updates - 1 - top)));
  };
}

function straight(from: number, to: number, share: number): number {
  return from + (to - from) * share;
}
