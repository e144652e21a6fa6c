import type { TtaView } from '../config/tta.ts';
import { tf } from '../engine/tf.ts';

export type { TtaView };

/** The view of images [N,H,W,C]; every view is its own inverse. */
export function applyView(view: TtaView, images: tf.Tensor4D): tf.Tensor4D {
  switch (view) {
    case 'none':
      return images;
    case 'hflip':
      return tf.reverse(images, 2);
  }
}
