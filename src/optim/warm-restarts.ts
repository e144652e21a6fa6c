import { z } from 'zod';
import { halfCosine } from './cosine.ts';
import { LOWEST_TOO_HIGH, lowestAtMostHighest, type Schedule } from './schedule.ts';

export const warmRestartsConfig = z
  .strictObject({
    name: z.literal('warm_restarts'),
    /** The rate at the beginning and after each restart. */
    lr: z.number().positive(),
    /** What the rate comes near to before each restart and at the end. */
    min_lr: z.number().min(0).default(0),
    /** How often the rate falls. */
    cycles: z.int().min(1).default(3),
    /** How many times longer each cycle is than the one before. */
    growth: z.number().min(1).default(2),
  })
  .refine(lowestAtMostHighest, LOWEST_TOO_HIGH);
export type WarmRestartsConfig = z.infer<typeof warmRestartsConfig>;

/**
 * Several cosines from lr to min_lr one after another (SGDR; Loshchilov and Hutter, 2017, https://arxiv.org/abs/1608.03983,
 * eq. 5, `growth` being T_mult). The cycles' lengths fill the run, so that it ends where a cycle does.
 */
export function warmRestarts({ lr, min_lr, cycles, growth }: WarmRestartsConfig): Schedule {
  const firsts = Array.from({ length: cycles }, (_, cycle) => growth ** cycle).reduce((sum, length) => sum + length);
  return ({ update, updates }) => {
    let left = update;
    let length = updates / firsts;
    for (let cycle = 1; cycle < cycles && left >= length; cycle++) {
      left -= length;
      length *= growth;
    }
    return halfCosine(lr, min_lr, Math.min(1, left / length));
  };
}
