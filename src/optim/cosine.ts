import { z } from 'zod';

export const cosineConfig = z.strictObject({
  name: z.literal('cosine'),
  /** The highest learning rate. */
  lr: z.number().positive(),
  /** The last learning rate. */
  min_lr: z.number().min(0).default(0),
  /** Updates over which the rate rises linearly from 0 before the cosine begins. */
  warmup_updates: z.int().min(0).default(0),
});
export type CosineConfig = z.infer<typeof cosineConfig>;
