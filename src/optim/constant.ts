import { z } from 'zod';
import type { Schedule } from './schedule.ts';

export const constantConfig = z.strictObject({
  name: z.literal('constant'),
  /** The learning rate of every update. */
  lr: z.number().positive(),
});
export type ConstantConfig = z.infer<typeof constantConfig>;

/** lr, at every update. */
export function constant({ lr }: ConstantConfig): Schedule {
  return () => lr;
}
