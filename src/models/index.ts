import { nameScopes } from '../engine/layers/scopes.ts';
import { tf } from '../engine/tf.ts';
import { type Feature, grayToRgb } from './blocks.ts';
import { type ModelConfig, publishedWith } from './config.ts';
import { buildHead } from './decoders/head.ts';
import { buildDecoder } from './decoders/index.ts';
import { buildEfficientNetExpansions, type EfficientNetName } from './encoders/efficientnet.ts';
import { buildEncoder, type EncoderOptions } from './encoders/index.ts';
import { inputStatistics } from './encoders/statistics.ts';
import { buildPresenceHead } from './presence-head.ts';

/**
 * The network of an experiment: [N,R,R,1] grey levels 0 to 255 → [N,R,R,1] logits; with a presence head also [N,1] (see
 * `applyModel`).
 * @param resolution R, a multiple of ENCODER_STRIDE
 * @param seed every layer's weights begin from a stream of their own under it
 */
export function buildModel(config: ModelConfig, resolution: number, seed: number): tf.LayersModel {
  const { norm, attention, hypercolumns, presence_head } = config;
  const options = { seed, normMomentum: config.norm_momentum };
  const input = tf.input({ name: 'image', shape: [resolution, resolution, 1] });
  const { mean, std } = inputStatistics(config.encoder);
  const encoder = { ...options, dropConnect: config.drop_connect, normFrozen: config.encoder_norm === 'frozen' };
  const features = encode(config, grayToRgb(input, mean, std), encoder);
  const decoder = { ...options, ...publishedWith(config), norm, attention, standardized: norm === 'group' };
  const decoded = buildDecoder(config.decoder, features, decoder);
  const logits = buildHead(decoded, { resolution, hypercolumns }, options);
  const outputs = presence_head ? [logits, buildPresenceHead(features.at(-1)!, options)] : logits;
  const model = tf.model({ name: `${config.decoder}_${config.encoder}`, inputs: input, outputs });
  nameScopes(model);
  return model;
}

/** The encoder's features as the decoder takes them. */
function encode({ encoder, decoder }: ModelConfig, rgb: Feature, options: EncoderOptions): Feature[] {
  // That it is an EfficientNet is checked with the configuration.
  if (decoder === 'simplified-unetpp') return buildEfficientNetExpansions(encoder as EfficientNetName, rgb, options);
  return buildEncoder(encoder, rgb, options);
}
