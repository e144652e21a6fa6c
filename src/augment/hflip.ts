import { z } from 'zod';

export const hflipConfig = z.strictObject({
  name: z.literal('hflip'),
  /** Probability per image. */
  p: z.number().min(0).max(1).default(0.5),
});
export type HflipConfig = z.infer<typeof hflipConfig>;
