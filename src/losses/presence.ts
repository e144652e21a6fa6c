import { z } from 'zod';
import type { tf } from '../engine/tf.ts';
import { bceLoss } from './bce.ts';

export const presenceConfig = z.strictObject({
  name: z.literal('presence'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
  /** How many times an image with a mask counts. */
  pos_weight: z.number().positive().default(1),
});
export type PresenceConfig = z.infer<typeof presenceConfig>;

/**
 * Binary cross-entropy of "the image has a mask", mean over images, those with one counted pos_weight times: what trains the
 * head of `model.presence_head`. presence [N,1] float32 logits, masks [N,H,W,1] 0 or 1 → scalar ≥ 0.
 * Throws where the network has no such head.
 */
export function presenceLoss(
  { pos_weight, weight }: PresenceConfig,
  presence: tf.Tensor2D | undefined,
  masks: tf.Tensor4D,
): tf.Scalar {
  if (presence === undefined) throw new Error('Expected a network with a presence head for the loss presence.');
  return bceLoss({ name: 'bce', weight, pos_weight }, presence, masks.max([1, 2]));
}
