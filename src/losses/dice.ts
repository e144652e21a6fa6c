import { z } from 'zod';

export const diceConfig = z.strictObject({
  name: z.literal('dice'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
  /** Added to numerator and denominator, so that two empty masks agree; in pixels of the training resolution. */
  smooth: z.number().positive().default(1),
  /** Dice of each image and then the mean, or of the whole batch at once. */
  per: z.enum(['image', 'batch']).default('batch'),
});
export type DiceConfig = z.infer<typeof diceConfig>;
