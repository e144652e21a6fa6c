import { GlobalAveragePooling2D } from '../../engine/layers/global-average-pooling.ts';
import { ScaleByGate } from '../../engine/layers/scale-by-gate.ts';
import { tf } from '../../engine/tf.ts';
import {
  activation,
  type BlockOptions,
  batchNorm,
  batchNormActivation,
  convolution,
  depthwiseConvolution,
  dropBranch,
  type Feature,
} from '../blocks.ts';

/** Width and depth multipliers (Tan and Le, 2019, https://arxiv.org/abs/1905.11946, eq. 3 and table 8's models). */
const SCALES = {
  'efficientnet-b0': { width: 1.0, depth: 1.0 },
  'efficientnet-b1': { width: 1.0, depth: 1.1 },
  'efficientnet-b2': { width: 1.1, depth: 1.2 },
  'efficientnet-b3': { width: 1.2, depth: 1.4 },
  'efficientnet-b4': { width: 1.4, depth: 1.8 },
  'efficientnet-b5': { width: 1.6, depth: 2.2 },
  'efficientnet-b6': { width: 1.8, depth: 2.6 },
  'efficientnet-b7': { width: 2.0, depth: 3.1 },
} as const;
export type EfficientNetName = keyof typeof SCALES;

/** The stages of EfficientNet-B0 (Tan and Le, 2019, table 1), squeeze ratio 1/4 everywhere. */
export const EFFICIENTNET_STAGES = [
  { kernel: 3, repeats: 1, filters: 16, expand: 1, stride: 1 },
  { kernel: 3, repeats: 2, filters: 24, expand: 6, stride: 2 },
  { kernel: 5, repeats: 2, filters: 40, expand: 6, stride: 2 },
  { kernel: 3, repeats: 3, filters: 80, expand: 6, stride: 2 },
  { kernel: 5, repeats: 3, filters: 112, expand: 6, stride: 1 },
  { kernel: 5, repeats: 4, filters: 192, expand: 6, stride: 2 },
  { kernel: 3, repeats: 1, filters: 320, expand: 6, stride: 1 },
] as const;

interface BlockShape {
  kernel: number;
  filters: number;
  stride: number;
}

type EncoderOptions = BlockOptions & { dropConnect: number };

/**
 * EfficientNet without its classifier, layers named and laid out as in Keras applications.
 * rgb [N,H,W,3], normalized → five features at strides 2, 4, 8, 16, 32: the stem's, then the last of each resolution
 * (where segmentation_models.pytorch takes them, so that the networks have equal parameter counts).
 */
export function buildEfficientNet(name: EfficientNetName, rgb: Feature, options: EncoderOptions): Feature[] {
  return buildBlocks(name, rgb, options).features;
}

/**
 * EfficientNet up to the last resolution that is wide and not yet halved. rgb [N,H,W,3], normalized → four features at
 * strides 2, 4, 8, 16: the expanded activations just before each halving (`block2a|3a|4a|6a_expand_activation`). The last
 * of them is the last layer: what comes after it in EfficientNet is not there.
 */
export function buildEfficientNetExpansions(name: EfficientNetName, rgb: Feature, options: EncoderOptions): Feature[] {
  return buildBlocks(name, rgb, options, 4).expansions;
}

/** The blocks in order; with `last`, up to the expanded activation before the halving of that number, from 1. */
function buildBlocks(name: EfficientNetName, rgb: Feature, options: EncoderOptions, last?: number) {
  const { width, depth } = SCALES[name];
  // Keras pads before valid convolutions of stride 2 by as much as 'same' does within them.
  const stem = convolution(rgb, 'stem_conv', roundFilters(32, width), 3, { ...options, strides: 2 });
  let x = batchNormActivation(stem, { norm: 'stem_bn', activation: 'stem_activation' }, 'swish', options);
  const features: Feature[] = [x];
  const expansions: Feature[] = [];
  const blocks = EFFICIENTNET_STAGES.reduce((count, { repeats }) => count + Math.ceil(depth * repeats), 0);
  let done = 0;
  for (const [index, stage] of EFFICIENTNET_STAGES.entries()) {
    if (stage.stride === 2 && index > 1) features.push(x);
    const repeats = Math.ceil(depth * stage.repeats);
    for (let repeat = 0; repeat < repeats; repeat++) {
      const block = `block${index + 1}${String.fromCharCode('a'.charCodeAt(0) + repeat)}_`;
      const stride = repeat === 0 ? stage.stride : 1;
      const shape = { ...stage, stride, filters: roundFilters(stage.filters, width) };
      const expanded = expand(x, block, stage.expand, options);
      if (stride === 2) expansions.push(expanded);
      if (expansions.length === last) return { features, expansions };
      x = invertedResidual(x, expanded, block, shape, { ...options, drop: (options.dropConnect * done++) / blocks });
    }
  }
  return { features: [...features, x], expansions };
}

/** More channels, by a 1×1 convolution. */
function expand(x: Feature, block: string, ratio: number, options: BlockOptions): Feature {
  if (ratio === 1) return x;
  const wide = convolution(x, `${block}expand_conv`, x.shape.at(-1)! * ratio, 1, options);
  return batchNormActivation(
    wide,
    { norm: `${block}expand_bn`, activation: `${block}expand_activation` },
    'swish',
    options,
  );
}

/** After the expansion: depthwise convolution, squeeze and excitation, projection (Sandler et al., 2018; Hu et al., 2018). */
function invertedResidual(
  input: Feature,
  expanded: Feature,
  block: string,
  shape: BlockShape,
  options: BlockOptions & { drop: number },
): Feature {
  const channels = input.shape.at(-1)!;
  const { stride: strides, kernel } = shape;
  let x = depthwiseConvolution(expanded, `${block}dwconv`, kernel, { ...options, strides });
  x = batchNormActivation(x, { norm: `${block}bn`, activation: `${block}activation` }, 'swish', options);
  x = squeezeExcite(x, block, Math.max(1, Math.floor(channels / 4)), options);
  x = batchNorm(convolution(x, `${block}project_conv`, shape.filters, 1, options), `${block}project_bn`, options);
  if (strides !== 1 || channels !== shape.filters) return x;
  x = dropBranch(x, `${block}drop`, options.drop, options);
  return tf.layers.add({ name: `${block}add` }).apply([x, input]) as Feature;
}

/** Each channel scaled by a gate in (0, 1) computed from the means of all (Hu et al., 2018). */
function squeezeExcite(x: Feature, block: string, squeezed: number, options: BlockOptions): Feature {
  const channels = x.shape.at(-1)!;
  const means = new GlobalAveragePooling2D({ name: `${block}se_squeeze` }).apply(x) as Feature;
  let gate = tf.layers.reshape({ name: `${block}se_reshape`, targetShape: [1, 1, channels] }).apply(means) as Feature;
  // The activations lie within these convolutions in Keras; the extra layers carry no weights.
  gate = convolution(gate, `${block}se_reduce`, squeezed, 1, { ...options, bias: 0 });
  gate = activation(gate, `${block}se_reduce_activation`, 'swish');
  gate = convolution(gate, `${block}se_expand`, channels, 1, { ...options, bias: 0 });
  gate = tf.layers.activation({ name: `${block}se_gate`, activation: 'sigmoid' }).apply(gate) as Feature;
  return new ScaleByGate({ name: `${block}se_excite` }).apply([x, gate]) as Feature;
}

/** Filters scaled by the width, to a multiple of 8, never more than a tenth below. */
export function roundFilters(filters: number, width: number): number {
  const scaled = filters * width;
  const rounded = Math.max(8, Math.floor((scaled + 4) / 8) * 8);
  return rounded < 0.9 * scaled ? rounded + 8 : rounded;
}
