import { z } from 'zod';

export const adamConfig = z.strictObject({
  name: z.literal('adam'),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().default(1e-7),
});
export type AdamConfig = z.infer<typeof adamConfig>;
