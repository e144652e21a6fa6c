import { nameScopes } from '../engine/layers/scopes.ts';
import { tf } from '../engine/tf.ts';
import { type BlockOptions, convolution, dropUnits, type Feature, grayToRgb } from './blocks.ts';
import type { ModelConfig } from './config.ts';
import { buildUnetDecoder } from './decoders/unet.ts';
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
  const rgb = grayToRgb(input, mean, std);
  const features = buildEncoder(config.encoder, rgb, { ...options, dropConnect: config.drop_connect });
  const decoded = buildDecoder(config, features, options);
  const kept = dropUnits(decoded, config.dropout, options);
  const logits = convolution(kept, 'mask_logits', 1, 3, { ...options, bias: Math.log(PRIOR / (1 - PRIOR)) });
  const model = tf.model({ name: `${config.decoder}_${config.encoder}`, inputs: input, outputs: logits });
  nameScopes(model);
  return model;
}

function buildDecoder(config: ModelConfig, features: Feature[], options: BlockOptions): Feature {
  switch (config.decoder) {
    case 'unet':
      return buildUnetDecoder(features, options);
  }
}
