import { tf } from '../engine/tf.ts';

/** What a network says of images, as logits in float32 or what the precision makes of them. */
export interface Logits {
  /** Of every pixel, [N,R,R,1]. */
  masks: tf.Tensor4D;
  /** Of the image having a mask at all, [N,1]; undefined where the network has no presence head. */
  presence: tf.Tensor2D | undefined;
}

/** Runs a network on grey levels [N,R,R,1] of 0 to 255, whatever their dtype. */
export function applyModel(model: tf.LayersModel, images: tf.Tensor, training: boolean): Logits {
  const outputs = model.apply(images.toFloat(), { training }) as tf.Tensor4D | [tf.Tensor4D, tf.Tensor2D];
  const [masks, presence] = outputs instanceof tf.Tensor ? [outputs] : outputs;
  return { masks, presence };
}
