import type { TtaView } from '../config/tta.ts';
import { resizeBilinear } from '../engine/kernels/resize-bilinear.ts';
import { tf } from '../engine/tf.ts';
import { ENCODER_STRIDE } from '../models/config.ts';

export type { TtaView };

/** A view as the network sees it, and the way back. */
interface View {
  /** Side of the images that the network sees. */
  side: number;
  /** Images [N,R,R,C] to [N,side,side,C]. */
  see(images: tf.Tensor4D): tf.Tensor4D;
  /** Probabilities [N,side,side,1] to [N,R,R,1], each pixel where it was. */
  back(probabilities: tf.Tensor4D): tf.Tensor4D;
}

const SCALES = { 'scale-0.75': 0.75, 'scale-1.25': 1.25 } as const;
/** How far each shift moves a picture down and to the right, in steps. */
const SHIFTS = {
  'shift-left': [0, -1],
  'shift-right': [0, 1],
  'shift-up': [-1, 0],
  'shift-down': [1, 0],
} as const;
/** A step of a shift is the side by this. */
const STEPS = 32;

/** The side at which a view shows images of a resolution: with another size the nearest multiple of the encoder's stride. */
export function sideOf(view: TtaView, resolution: number): number {
  if (!(view in SCALES)) return resolution;
  const scaled = resolution * SCALES[view as keyof typeof SCALES];
  return Math.max(ENCODER_STRIDE, Math.round(scaled / ENCODER_STRIDE) * ENCODER_STRIDE);
}

/** A view of images of a resolution R. */
export function viewOf(view: TtaView, resolution: number): View {
  const side = sideOf(view, resolution);
  switch (view) {
    case 'none':
      return { side, see: (images) => images, back: (probabilities) => probabilities };
    case 'hflip':
      return { side, see: flip, back: flip };
    case 'scale-0.75':
    case 'scale-1.25':
      return {
        side,
        see: (images) => resizeBilinear(images, [side, side]),
        back: (probabilities) => resizeBilinear(probabilities, [resolution, resolution]),
      };
    case 'shift-left':
    case 'shift-right':
    case 'shift-up':
    case 'shift-down': {
      const [down, right] = SHIFTS[view];
      const step = resolution / STEPS;
      return {
        side,
        see: (images) => shift(images, step * down, step * right),
        back: (probabilities) => shift(probabilities, -step * down, -step * right),
      };
    }
  }
}

function flip(images: tf.Tensor4D): tf.Tensor4D {
  return tf.reverse(images, 2);
}

/** Moves pictures; what comes in at an edge is what lies behind it, mirrored. */
function shift(images: tf.Tensor4D, down: number, right: number): tf.Tensor4D {
  const [n, height, width, channels] = images.shape;
  const [vertical, horizontal] = [Math.abs(down), Math.abs(right)];
  const edges: [number, number][] = [
    [0, 0],
    [vertical, vertical],
    [horizontal, horizontal],
    [0, 0],
  ];
  const wide = tf.mirrorPad(images, edges, 'symmetric');
  return tf.slice(wide, [0, vertical - down, horizontal - right, 0], [n, height, width, channels]);
}
