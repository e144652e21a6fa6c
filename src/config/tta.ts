import { z } from 'zod';

/** Test-time augmentations: views of an image whose predictions are turned back and averaged. */
export const ttaConfig = z
  .array(z.enum(['none', 'hflip']))
  .min(1)
  .refine((views) => new Set(views).size === views.length, 'a list that has each view once');
export type TtaView = z.infer<typeof ttaConfig>[number];
