import { z } from 'zod';
import { LOWEST_TOO_HIGH, lowestAtMostHighest, type Schedule } from './schedule.ts';

export const plateauConfig = z
  .strictObject({
    name: z.literal('plateau'),
    /** The rate until the first fall. */
    lr: z.number().positive(),
    /** The rate never falls below it. */
    min_lr: z.number().min(0).default(0),
    /** What is left of the rate at each fall. */
    factor: z.number().gt(0).lt(1).default(0.1),
    /** Epochs in a row without a better validation Dice that are borne; the next one lets the rate fall. */
    patience: z.int().min(0).default(10),
    /** How much higher a Dice must be than the best before it to count as better. */
    threshold: z.number().min(0).default(1e-4),
    /** Epochs after a fall that are not counted. */
    cooldown: z.int().min(0).default(0),
  })
  .refine(lowestAtMostHighest, LOWEST_TOO_HIGH);
export type PlateauConfig = z.infer<typeof plateauConfig>;

/**
 * lr times factor for every time that the validation Dice stayed as it was for longer than `patience` epochs, at least min_lr.
 * The scores of all epochs are gone through anew each time, as PyTorch's ReduceLROnPlateau does while they come (mode `max`,
 * absolute threshold).
 */
export function plateau(config: PlateauConfig): Schedule {
  const { lr, min_lr, factor, patience, threshold, cooldown } = config;
  return ({ scores }) => {
    let rate = lr;
    let best = Number.NEGATIVE_INFINITY;
    let [waited, resting] = [0, 0];
    for (const score of scores) {
      waited = score > best + threshold ? 0 : waited + 1;
      if (waited === 0) best = score;
      if (resting > 0) [waited, resting] = [0, resting - 1];
      if (waited <= patience) continue;
      rate = Math.max(min_lr, rate * factor);
      [waited, resting] = [0, cooldown];
    }
    return rate;
  };
}
