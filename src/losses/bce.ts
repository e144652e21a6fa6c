import { z } from 'zod';

export const bceConfig = z.strictObject({
  name: z.literal('bce'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
});
export type BceConfig = z.infer<typeof bceConfig>;
