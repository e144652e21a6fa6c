import { z } from 'zod';

/** The network: a pretrained-style encoder and the decoder that turns its features into a mask's logits. */
export const modelConfig = z.strictObject({
  encoder: z.enum(['efficientnet-b0', 'efficientnet-b1', 'efficientnet-b2', 'efficientnet-b3', 'efficientnet-b4']),
  decoder: z.enum(['unet']).default('unet'),
  /** Share of batch normalization's moving statistics that stays at each batch; short runs want less than 0.99. */
  norm_momentum: z.number().min(0).lt(1).default(0.99),
});
export type ModelConfig = z.infer<typeof modelConfig>;

/** Side of the coarsest feature's cell in pixels: a resolution must be a multiple of it. */
export const ENCODER_STRIDE = 32;
