import { z } from 'zod';

/**
 * Test-time augmentations: views of an image whose predictions are turned back and averaged. As it is, mirrored, at another size, and
 * moved by 1/32 of its side.
 */
export const ttaConfig = z
  .array(z.enum(['none', 'hflip', 'scale-0.75', 'scale-1.25', 'shift-left', 'shift-right', 'shift-up', 'shift-down']))
  .min(1)
  .refine((views) => new Set(views).size === views.length, 'a list that has each view once');
export type TtaView = z.infer<typeof ttaConfig>[number];
