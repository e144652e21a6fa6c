import { z } from 'zod';
import { ATTENTIONS, DECODERS, NORMS, UPSAMPLINGS } from './decoders/choices.ts';
import { ENCODERS } from './encoders/names.ts';
import { STAGES } from './stages.ts';

/** What each decoder is published with; an experiment may say otherwise. */
const PUBLISHED = {
  unet: { dropout: 0, upsample: 'nearest' },
  unetpp: { dropout: 0, upsample: 'nearest' },
  'simplified-unetpp': { dropout: 0.5, upsample: 'transposed' },
  fpn: { dropout: 0, upsample: 'nearest' },
} as const;

/** Encoders whose blocks widen their features as simplified-unetpp takes them. */
const EXPANDING = /^efficientnet-b\d$/;

const keys = z.strictObject({
  encoder: z.enum(ENCODERS),
  decoder: z.enum(DECODERS).default('unet'),
  /** The decoder's normalization; group norm (with standardized kernels) does not depend on the batch. */
  norm: z.enum(NORMS).default('batch'),
  /** frozen: the encoder's batch norms train by their moving statistics, which stay as they are; gamma and beta train. */
  encoder_norm: z.enum(['batch', 'frozen']).default('batch'),
  /** How the decoder doubles a resolution; left out: as published. */
  upsample: z.enum(UPSAMPLINGS).optional(),
  /** scse: channels and pixels of the decoder's features are weighted by gates (Roy et al., 2018). */
  attention: z.enum(ATTENTIONS).default('none'),
  /** Whether the last convolution sees every level of the decoder. */
  hypercolumns: z.boolean().default(false),
  /** Whether the network also says of each image how probable a mask is: the loss presence trains it, a gate uses it. */
  presence_head: z.boolean().default(false),
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
  .overwrite((config) => inOrder({ ...config, ...publishedWith(config) }));

/** In the order of the keys above, whatever the file says of them: a resolved configuration resolves to itself. */
function inOrder(config: ModelConfig): ModelConfig {
  const entries = Object.keys(keys.shape).map((key) => [key, config[key as keyof ModelConfig]]);
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined)) as ModelConfig;
}

/** The values of keys whose default is the decoder's own. */
export function publishedWith({ decoder, dropout, upsample }: ModelConfig) {
  const published = PUBLISHED[decoder];
  return { dropout: dropout ?? published.dropout, upsample: upsample ?? published.upsample };
}

/** Side of the coarsest feature's cell in pixels: a resolution must be a multiple of it. */
export const ENCODER_STRIDE = 32;
