import { nameScopes } from '../engine/layers/scopes.ts';
import { tf } from '../engine/tf.ts';
import { type BlockOptions, convolution, dropUnits, type Feature, grayToRgb } from './blocks.ts';
import { type ModelConfig, publishedWith } from './config.ts';
import type { Decoded } from './decoders/decoded.ts';
import { buildSimplifiedUnetpp } from './decoders/simplified-unetpp.ts';
import { buildUnet } from './decoders/unet.ts';
import { buildEfficientNetExpansions, type EfficientNetName } from './encoders/efficientnet.ts';
import { buildEncoder } from './encoders/index.ts';
import { inputStatistics } from './encoders/statistics.ts';

/** The probability that a new network gives every pixel: most are outside (Lin et al., 2017, section 3.3). */
const PRIOR = 0.01;

/**
 * The network of an experiment: [N,R,R,1] grey levels 0 to 255 → [N,R,R,1] logits.
 * @param resolution R, a multiple of ENCODER_STRIDE
 * @param seed every layer's weights begin from a stream of their own under it
 */
export function buildModel(config: ModelConfig, resolution: number, seed: number): tf.LayersModel {
  const options = { seed, normMomentum: config.norm_momentum };
  const input = tf.input({ name: 'image', shape: [resolution, resolution, 1] });
  const { mean, std } = inputStatistics(config.encoder);
  const logits = buildHead(buildDecoder(config, grayToRgb(input, mean, std), options), options);
  const model = tf.model({ name: `${config.decoder}_${config.encoder}`, inputs: input, outputs: logits });
  nameScopes(model);
  return model;
}

/** The encoder as its decoder wants it, and the decoder. */
function buildDecoder(config: ModelConfig, rgb: Feature, options: BlockOptions): Decoded {
  const { dropout } = publishedWith(config);
  const encoder = { ...options, dropConnect: config.drop_connect };
  switch (config.decoder) {
    case 'unet':
      return buildUnet(buildEncoder(config.encoder, rgb, encoder), dropout, options);
    case 'simplified-unetpp': {
      const expansions = buildEfficientNetExpansions(config.encoder as EfficientNetName, rgb, encoder);
      return buildSimplifiedUnetpp(expansions, dropout, options);
    }
  }
}

/** The logits of the decoder's finest level, at the picture's resolution. */
function buildHead({ levels, dropout, headKernel }: Decoded, options: BlockOptions): Feature {
  const kept = dropUnits(levels.at(-1)!, 'decoder_dropout', dropout, options);
  return convolution(kept, 'mask_logits', 1, headKernel, { ...options, bias: Math.log(PRIOR / (1 - PRIOR)) });
}
