import { z } from 'zod';

export const swaConfig = z.strictObject({
  /** The epoch, from 1, from which on weights are taken into the average. */
  from_epoch: z.int().min(1),
  /** Taken in after every so many updates; left out: at the end of each epoch. */
  every_updates: z.int().min(1).optional(),
});
export type SwaConfig = z.infer<typeof swaConfig>;

export const emaConfig = z.strictObject({
  /** The share of the average that stays at each update; until it would be the plain mean's, it is the plain mean. */
  decay: z.number().gt(0).lt(1).default(0.999),
});
export type EmaConfig = z.infer<typeof emaConfig>;
