import { z } from 'zod';
import { tf } from '../engine/tf.ts';

export const focalConfig = z.strictObject({
  name: z.literal('focal'),
  /** Its share in a list of losses. */
  weight: z.number().positive().default(1),
  /** How much pixels that are right already are left out of account; 0: not at all. */
  gamma: z.number().min(0).default(2),
  /** What a pixel of the mask counts, another one counting 1 − alpha. */
  alpha: z.number().gt(0).lt(1).default(0.25),
});
export type FocalConfig = z.infer<typeof focalConfig>;

/**
 * Focal loss (Lin et al., 2017, https://arxiv.org/abs/1708.02002, eq. 5), mean over all pixels: −α_t·(1 − p_t)^γ·log p_t,
 * p_t being the probability of what the mask says. logits and masks [N,H,W,1] float32, masks 0 or 1 → scalar ≥ 0.
 * With u = −logit in the mask and logit outside, −log p_t = log(1 + e^u) and 1 − p_t = σ(u), whose logarithm is taken too, so
 * that nothing overflows or cancels. The gradient by u, α_t·σ(u)^γ·(γ·σ(−u)·log(1 + e^u) + σ(u)), is given as it is.
 */
export function focalLoss({ gamma, alpha }: FocalConfig, logits: tf.Tensor4D, masks: tf.Tensor4D): tf.Scalar {
  const pixels = logits.size;
  const loss = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    save([x, masks]);
    const { doubt, surprise } = look(x, masks, gamma);
    const value = weigh(doubt.mul(surprise), masks, alpha).mean();
    const gradFunc = (dy: tf.Tensor, [savedX, savedMasks]: tf.Tensor[]) => {
      const again = look(savedX!, savedMasks!, gamma);
      const right = tf.sigmoid(again.u.neg());
      const slope = again.doubt.mul(right.mul(again.surprise).mul(gamma).add(tf.sigmoid(again.u)));
      return weigh(slope, savedMasks!, alpha).mul(signs(savedMasks!)).mul(dy.div(pixels));
    };
    return { value, gradFunc };
  });
  return loss(logits) as tf.Scalar;
}

/** u, (1 − p_t)^γ and −log p_t of every pixel. */
function look(x: tf.Tensor, masks: tf.Tensor, gamma: number) {
  const u = x.mul(signs(masks));
  const rest = u.abs().neg().exp().log1p();
  const surprise = u.relu().add(rest);
  // log(1 − p_t) = −log(1 + e^−u)
  const doubt = u.neg().relu().add(rest).mul(-gamma).exp();
  return { u, doubt, surprise };
}

/** −1 in the mask, 1 outside. */
function signs(masks: tf.Tensor): tf.Tensor {
  return masks.mul(-2).add(1);
}

function weigh(each: tf.Tensor, masks: tf.Tensor, alpha: number): tf.Tensor {
  return each.mul(masks.mul(2 * alpha - 1).add(1 - alpha));
}
