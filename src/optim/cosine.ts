import { z } from 'zod';
import { LOWEST_TOO_HIGH, lowestAtMostHighest, type Schedule } from './schedule.ts';

export const cosineConfig = z
  .strictObject({
    name: z.literal('cosine'),
    /** The highest learning rate. */
    lr: z.number().positive(),
    /** What the rate comes near to in the last updates. */
    min_lr: z.number().min(0).default(0),
    /** Updates over which the rate rises linearly from 0 before the cosine begins. */
    warmup_updates: z.int().min(0).default(0),
  })
  .refine(lowestAtMostHighest, LOWEST_TOO_HIGH);
export type CosineConfig = z.infer<typeof cosineConfig>;

/**
 * From lr to min_lr along half a cosine over all updates (Loshchilov and Hutter, 2017,
 * https://arxiv.org/abs/1608.03983, eq. 5 without restarts); before it, a linear rise over the warm-up.
 */
export function cosine({ lr, min_lr, warmup_updates }: CosineConfig): Schedule {
  return ({ update, updates }) => {
    if (update < warmup_updates) return (lr * (update + 1)) / warmup_updates;
    const share = Math.min(1, (update - warmup_updates) / Math.max(1, updates - warmup_updates));
    return halfCosine(lr, min_lr, share);
  };
}

/** Between two rates, at a share of the way: slow at both ends. */
export function halfCosine(from: number, to: number, share: number): number {
  return to + 0.5 * (from - to) * (1 + Math.cos(Math.PI * share));
}
