import { GlobalAveragePooling2D } from '../../engine/layers/global-average-pooling.ts';
import { ScaleByGate } from '../../engine/layers/scale-by-gate.ts';
import { tf } from '../../engine/tf.ts';
import { activation, convolution, type Feature } from '../blocks.ts';
import type { DecoderOptions } from './contract.ts';

/** How many channels one of the squeezed ones stands for, as in segmentation_models.pytorch. */
const REDUCTION = 16;

/**
 * Concurrent spatial and channel squeeze and excitation (Roy et al., 2018, https://arxiv.org/abs/1803.02579, section 2): x
 * scaled by a gate for each channel plus x scaled by a gate for each pixel, shape kept; x itself with attention `none`.
 */
export function attend(x: Feature, name: string, options: DecoderOptions): Feature {
  if (options.attention === 'none') return x;
  const plain = { ...options, standardized: false, bias: 0 };
  const gateOf = (gate: Feature, part: string) =>
    tf.layers.activation({ name: `${name}_${part}_gate`, activation: 'sigmoid' }).apply(gate) as Feature;
  const channels = x.shape.at(-1)!;
  const means = new GlobalAveragePooling2D({ name: `${name}_squeeze` }).apply(x) as Feature;
  const reshape = tf.layers.reshape({ name: `${name}_reshape`, targetShape: [1, 1, channels] });
  const squeezed = Math.max(1, Math.floor(channels / REDUCTION));
  let byChannel = convolution(reshape.apply(means) as Feature, `${name}_reduce`, squeezed, 1, plain);
  byChannel = activation(byChannel, `${name}_reduce_relu`, 'relu');
  byChannel = gateOf(convolution(byChannel, `${name}_expand`, channels, 1, plain), 'channel');
  const byPixel = gateOf(convolution(x, `${name}_spatial`, 1, 1, plain), 'spatial');
  const scaled = [
    new ScaleByGate({ name: `${name}_by_channel` }).apply([x, byChannel]),
    tf.layers.multiply({ name: `${name}_by_pixel` }).apply([x, byPixel]),
  ] as Feature[];
  return tf.layers.add({ name: `${name}_add` }).apply(scaled) as Feature;
}
