import { z } from 'zod';
import { tf } from '../engine/tf.ts';
import { bceConfig, bceLoss } from './bce.ts';
import { diceConfig, diceLoss } from './dice.ts';
import { focalConfig, focalLoss } from './focal.ts';
import { lovaszConfig, lovaszLoss } from './lovasz.ts';
import { presenceConfig, presenceLoss } from './presence.ts';
import { tverskyConfig, tverskyLoss } from './tversky.ts';

export const lossConfig = z.discriminatedUnion('name', [
  bceConfig,
  diceConfig,
  focalConfig,
  lovaszConfig,
  tverskyConfig,
  presenceConfig,
]);
export type LossConfig = z.infer<typeof lossConfig>;

/** Logits and masks [N,H,W,1] float32, and the presence head's logits [N,1] if there is one → a scalar to be made small. */
export type Loss = (logits: tf.Tensor4D, masks: tf.Tensor4D, presence?: tf.Tensor2D) => tf.Scalar;

/** The weighted sum of the losses of an experiment. */
export function buildLoss(configs: readonly LossConfig[]): Loss {
  return (logits, masks, presence) => {
    const terms = configs.map((config) => applyLoss(config, logits, masks, presence).mul(config.weight));
    return tf.addN(terms) as tf.Scalar;
  };
}

function applyLoss(
  config: LossConfig,
  logits: tf.Tensor4D,
  masks: tf.Tensor4D,
  presence: tf.Tensor2D | undefined,
): tf.Scalar {
  switch (config.name) {
    case 'bce':
      return bceLoss(config, logits, masks);
    case 'dice':
      return diceLoss(config, logits, masks);
    case 'focal':
      return focalLoss(config, logits, masks);
    case 'lovasz':
      return lovaszLoss(config, logits, masks);
    case 'tversky':
      return tverskyLoss(config, logits, masks);
    case 'presence':
      return presenceLoss(config, presence, masks);
  }
}
