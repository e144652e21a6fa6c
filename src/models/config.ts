import { z } from 'zod';
import { ENCODERS } from './encoders/names.ts';
import { STAGES } from './stages.ts';

/** The network: a pretrained-style encoder and the decoder that turns its features into a mask's logits. */
export const modelConfig = z.strictObject({
  encoder: z.enum(ENCODERS),
  decoder: z.enum(['unet']).default('unet'),
  /** Share of batch normalization's moving statistics that stays at each batch; short runs want less than 0.99. */
  norm_momentum: z.number().min(0).lt(1).default(0.99),
  /** Probability that a sample skips the encoder's last block in training; it grows to this from the first block on. */
  drop_connect: z.number().min(0).lt(1).default(0),
  /** Probability that a unit of the decoder's result is zero in training. */
  dropout: z.number().min(0).lt(1).default(0),
  /** Whose results are computed again for the gradient rather than kept: true (all), or a list of stages. */
  recompute: z.union([z.boolean(), z.array(z.enum(STAGES)).min(1)]).default(false),
});
export type ModelConfig = z.infer<typeof modelConfig>;

/** Side of the coarsest feature's cell in pixels: a resolution must be a multiple of it. */
export const ENCODER_STRIDE = 32;
