import { z } from 'zod';
import { tf } from '../engine/tf.ts';

/** Test-time augmentations: views of an image whose predictions are turned back and averaged. */
export const ttaConfig = z
  .array(z.enum(['none', 'hflip']))
  .min(1)
  .refine((views) => new Set(views).size === views.length, 'each view once');
export type TtaView = z.infer<typeof ttaConfig>[number];

/** The view of images [N,H,W,C]; every view is its own inverse. */
export function applyView(view: TtaView, images: tf.Tensor4D): tf.Tensor4D {
  switch (view) {
    case 'none':
      return images;
    case 'hflip':
      return tf.reverse(images, 2);
  }
}
