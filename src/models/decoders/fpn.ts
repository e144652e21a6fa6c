import { BilinearUpSampling2D } from '../../engine/layers/bilinear-up-sampling.ts';
import { tf } from '../../engine/tf.ts';
import { convolution, type Feature } from '../blocks.ts';
import { attend } from './attention.ts';
import type { Decoded, DecoderOptions } from './contract.ts';
import { normActivation } from './norm.ts';
import { upSample } from './up-sample.ts';

const PYRAMID_CHANNELS = 256;
const SEGMENTATION_CHANNELS = 128;

/**
 * Feature pyramid (Lin et al., 2017, https://arxiv.org/abs/1612.03144, section 3) with the segmentation branch of Panoptic
 * FPN (Kirillov et al., 2019, https://arxiv.org/abs/1901.02446, figure 3), as segmentation_models.pytorch lays it out: the
 * feature at stride 2 is not used, and what every level makes at stride 4 is added up.
 * Features at strides 2 to 32 → the pyramid at strides 32, 16, 8 [256], and the sum at stride 4 [128].
 */
export function buildFpn(features: readonly Feature[], options: DecoderOptions): Decoded {
  const coarseFirst = features.slice(1).reverse();
  const lateral = { ...options, standardized: false, bias: 0 };
  const pyramid: Feature[] = [];
  for (const [level, feature] of coarseFirst.entries()) {
    const block = `decoder${level + 1}_`;
    const own = convolution(feature, `${block}lateral`, PYRAMID_CHANNELS, 1, lateral);
    const coarser = pyramid.at(-1);
    if (coarser === undefined) pyramid.push(own);
    else {
      const above = upSample(coarser, `${block}up`, PYRAMID_CHANNELS, options);
      pyramid.push(tf.layers.add({ name: `${block}add` }).apply([above, own]) as Feature);
    }
  }
  const branches = pyramid.map((feature, level) => {
    return segmentationBranch(feature, `decoder${level + 1}_`, pyramid.length - 1 - level, options);
  });
  const merged = tf.layers.add({ name: 'decoder5_merge' }).apply(branches) as Feature;
  const result = attend(merged, 'decoder5_scse', options);
  return {
    levels: [...pyramid.slice(0, -1), result],
    dropout: options.dropout,
    head: { kernelSize: 1, initializer: 'glorot' },
  };
}

/** A pyramid's level at stride 4: convolution, normalization, relu, and twice the resolution, as often as it takes. */
function segmentationBranch(feature: Feature, block: string, doublings: number, options: DecoderOptions): Feature {
  let x = feature;
  for (let step = 0; step < Math.max(1, doublings); step++) {
    const part = String.fromCharCode('a'.charCodeAt(0) + step);
    x = convolution(x, `${block}conv_${part}`, SEGMENTATION_CHANNELS, 3, options);
    x = normActivation(x, { norm: `${block}bn_${part}`, activation: `${block}relu_${part}` }, 'relu', options);
    if (step < doublings)
      x = new BilinearUpSampling2D({ name: `${block}resize_${part}`, factor: 2 }).apply(x) as Feature;
  }
  return x;
}
