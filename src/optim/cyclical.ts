import { z } from 'zod';
import { LOWEST_TOO_HIGH, lowestAtMostHighest, type Schedule } from './schedule.ts';

export const cyclicalConfig = z
  .strictObject({
    name: z.literal('cyclical'),
    /** The rate in the middle of the first cycle. */
    lr: z.number().positive(),
    /** The rate at both ends of each cycle. */
    min_lr: z.number().min(0).default(0),
    /** How often the rate rises and falls. */
    cycles: z.int().min(1).default(3),
    /** What is left, in each next cycle, of the height above min_lr. */
    shrink: z.number().gt(0).max(1).default(1),
  })
  .refine(lowestAtMostHighest, LOWEST_TOO_HIGH);
export type CyclicalConfig = z.infer<typeof cyclicalConfig>;

/**
 * Straight from min_lr to lr and back, several times in a run (Smith, 2017, https://arxiv.org/abs/1506.01186, section 3.1:
 * `triangular`, or with a `shrink` of ½ `triangular2`).
 */
export function cyclical({ lr, min_lr, cycles, shrink }: CyclicalConfig): Schedule {
  return ({ update, updates }) => {
    const place = Math.min(cycles, (update * cycles) / updates);
    const cycle = Math.min(cycles - 1, Math.floor(place));
    const height = 1 - Math.abs(2 * (place - cycle) - 1);
    return min_lr + (lr - min_lr) * height * shrink ** cycle;
  };
}
