import type { Batch } from '../data/batch.ts';
import { tf } from '../engine/tf.ts';
import type { Loss } from '../losses/index.ts';

/** What a network says of a labelled batch. */
export interface Evaluation {
  loss: number;
  /** Of the pixels, [N,R,R]. */
  probabilities: Float32Array;
  /** Of each image having a mask, [N]; undefined where the network has no presence head. */
  presence: Float32Array | undefined;
}

/**
 * The loss and probabilities of a batch from logits [N,R,R,1] and presence logits [N,1] of at least as many images, of which the
 * batch's own come first.
 */
export function scoreLogits(
  loss: Loss,
  logits: Float32Array,
  presence: Float32Array | undefined,
  { count, resolution, masks }: Batch,
): Evaluation {
  let evaluation: Evaluation | undefined;
  tf.tidy(() => {
    const images = tf.tensor4d(logits.subarray(0, masks.length), [count, resolution, resolution, 1]);
    const seen = presence && tf.tensor2d(presence.subarray(0, count), [count, 1]);
    evaluation = {
      loss: loss(images, tf.tensor4d(masks, images.shape, 'float32'), seen).dataSync()[0]!,
      probabilities: tf.sigmoid(images).dataSync() as Float32Array,
      presence: seen && (tf.sigmoid(seen).dataSync() as Float32Array),
    };
  });
  return evaluation!;
}
