import { z } from 'zod';
import { ENCODERS } from './encoders/names.ts';
import { STAGES } from './stages.ts';

/** What each decoder is published with; an experiment may say otherwise. */
const PUBLISHED = {
  unet: { dropout: 0 },
  'simplified-unetpp': { dropout: 0.5 },
} as const;

/** Encoders whose blocks widen their features as simplified-unetpp takes them. */
const EXPANDING = /^efficientnet-b\d$/;

const keys = z.strictObject({
  encoder: z.enum(ENCODERS),
  decoder: z.enum(['unet', 'simplified-unetpp']).default('unet'),
  /** Share of batch normalization's moving statistics that stays at each batch; short runs want less than 0.99. */
  norm_momentum: z.number().min(0).lt(1).default(0.99),
  /** Probability that a sample skips the encoder's last block in training; it grows to this from the first block on. */
  drop_connect: z.number().min(0).lt(1).default(0),
  /** Probability that a unit is zero in training: of the decoder's result, or as the decoder has it; left out: as published. */
  dropout: z.number().min(0).lt(1).optional(),
  /** Whose results are computed again for the gradient rather than kept: true (all), or a list of stages. */
  recompute: z.union([z.boolean(), z.array(z.enum(STAGES)).min(1)]).default(false),
});
export type ModelConfig = z.infer<typeof keys>;

/** The network: a pretrained-style encoder and the decoder that turns its features into a mask's logits. */
export const modelConfig = keys
  .check(({ value: { encoder, decoder }, issues }) => {
    if (decoder !== 'simplified-unetpp' || EXPANDING.test(encoder)) return;
    const message = 'efficientnet-b0 to -b7, whose expanded features simplified-unetpp takes,';
    issues.push({ code: 'custom', path: ['encoder'], message, input: encoder });
  })
  // In the order of the keys above, whether the file says it or not: a resolved configuration resolves to itself.
  .overwrite(({ recompute, ...config }) => ({ ...config, ...publishedWith({ ...config, recompute }), recompute }));

/** The values of keys whose default is the decoder's own. */
export function publishedWith({ decoder, dropout = PUBLISHED[decoder].dropout }: ModelConfig) {
  return { dropout };
}

/** Side of the coarsest feature's cell in pixels: a resolution must be a multiple of it. */
export const ENCODER_STRIDE = 32;
