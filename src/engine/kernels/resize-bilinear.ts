import { tf } from '../tf.ts';
import { type Attribute, runNative } from './native.ts';

const ATTRIBUTES: Attribute[] = [
  { name: 'T', type: 'dtype', value: 'float32' },
  { name: 'align_corners', type: 'bool', value: false },
  { name: 'half_pixel_centers', type: 'bool', value: true },
];

/**
 * Bilinear resizing with half-pixel centres, as Keras, PyTorch (align_corners=False) and OpenCV do it without
 * anti-aliasing: [N,H,W,C] → [N,height,width,C]. tfjs's own gradient forgets the half pixel; this one does not.
 */
export function resizeBilinear(x: tf.Tensor4D, [height, width]: readonly [number, number]): tf.Tensor4D {
  const resize = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([input]);
    const value = runNative('ResizeBilinear', ATTRIBUTES, [input, tf.tensor1d([height, width], 'int32')], 1)[0]!;
    const gradFunc = (dy: tf.Tensor, [saved]: tf.Tensor[]) =>
      runNative('ResizeBilinearGrad', ATTRIBUTES, [dy, saved!], 1)[0]!;
    return { value, gradFunc };
  });
  return resize(x) as tf.Tensor4D;
}
