import { z } from 'zod';
import { LOWEST_TOO_HIGH, lowestAtMostHighest, type Schedule } from './schedule.ts';

export const stepConfig = z
  .strictObject({
    name: z.literal('step'),
    /** The rate of the first epochs. */
    lr: z.number().positive(),
    /** The rate never falls below it. */
    min_lr: z.number().min(0).default(0),
    /** Epochs between two falls. */
    every_epochs: z.int().min(1).default(10),
    /** What is left of the rate at each fall. */
    factor: z.number().gt(0).lt(1).default(0.1),
  })
  .refine(lowestAtMostHighest, LOWEST_TOO_HIGH);
export type StepConfig = z.infer<typeof stepConfig>;

/** lr·factor^⌊epoch/every_epochs⌋, at least min_lr (PyTorch's StepLR). */
export function step({ lr, min_lr, every_epochs, factor }: StepConfig): Schedule {
  return ({ epoch }) => Math.max(min_lr, lr * factor ** Math.floor(epoch / every_epochs));
}
