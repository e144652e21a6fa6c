import { tf } from '../../engine/tf.ts';
import {
  type BlockOptions,
  batchNorm,
  batchNormActivation,
  convolution,
  depthwiseConvolution,
  dropBranch,
  type Feature,
} from '../blocks.ts';
import { EFFICIENTNET_STAGES, roundFilters } from './efficientnet.ts';

/** Width and depth multipliers (Liu, 2020, https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). */
const SCALES = {
  'efficientnet-lite0': { width: 1.0, depth: 1.0 },
  'efficientnet-lite1': { width: 1.0, depth: 1.1 },
  'efficientnet-lite2': { width: 1.1, depth: 1.2 },
} as const;
export type EfficientNetLiteName = keyof typeof SCALES;

/** As wide in every network of the family. */
const STEM_FILTERS = 32;

interface BlockShape {
  kernel: number;
  filters: number;
  expand: number;
  stride: number;
}

/**
 * EfficientNet-Lite without its classifier: EfficientNet without squeeze and excitation, with relu6 for swish, and with its
 * stem and the repeats of its first and last stage never scaled. Layers are laid out and named as in timm
 * (`tf_efficientnet_lite0`): `blocks.1.0.conv_dw`. rgb [N,H,W,3], normalized → five features at strides 2, 4, 8, 16, 32, as
 * those of buildEfficientNet.
 */
export function buildEfficientNetLite(
  name: EfficientNetLiteName,
  rgb: Feature,
  options: BlockOptions & { dropConnect: number },
): Feature[] {
  const { width, depth } = SCALES[name];
  const stem = convolution(rgb, 'conv_stem', STEM_FILTERS, 3, { ...options, strides: 2 });
  let x = normRelu6(stem, 'bn1', options);
  const features: Feature[] = [x];
  const repeatsOf = (index: number) => {
    const { repeats } = EFFICIENTNET_STAGES[index]!;
    return index === 0 || index === EFFICIENTNET_STAGES.length - 1 ? repeats : Math.ceil(depth * repeats);
  };
  const blocks = EFFICIENTNET_STAGES.reduce((count, _, index) => count + repeatsOf(index), 0);
  let done = 0;
  EFFICIENTNET_STAGES.forEach((stage, index) => {
    if (stage.stride === 2 && index > 1) features.push(x);
    for (let repeat = 0; repeat < repeatsOf(index); repeat++) {
      const stride = repeat === 0 ? stage.stride : 1;
      const shape = { ...stage, stride, filters: roundFilters(stage.filters, width) };
      const drop = (options.dropConnect * done++) / blocks;
      x = invertedResidual(x, `blocks.${index}.${repeat}.`, shape, { ...options, drop });
    }
  });
  return [...features, x];
}

/**
 * Expansion, depthwise convolution, projection (Sandler et al., 2018). Where nothing is expanded timm calls the projection
 * conv_pw and counts the normalizations from the depthwise one on.
 */
function invertedResidual(
  input: Feature,
  block: string,
  { kernel, filters, expand, stride }: BlockShape,
  options: BlockOptions & { drop: number },
): Feature {
  const channels = input.shape.at(-1)!;
  const expands = expand !== 1;
  let x = input;
  if (expands) {
    x = normRelu6(convolution(x, `${block}conv_pw`, channels * expand, 1, options), `${block}bn1`, options);
  }
  x = depthwiseConvolution(x, `${block}conv_dw`, kernel, { ...options, strides: stride });
  x = normRelu6(x, `${block}${expands ? 'bn2' : 'bn1'}`, options);
  x = convolution(x, `${block}${expands ? 'conv_pwl' : 'conv_pw'}`, filters, 1, options);
  x = batchNorm(x, `${block}${expands ? 'bn3' : 'bn2'}`, options);
  if (stride !== 1 || channels !== filters) return x;
  x = dropBranch(x, `${block}drop_path`, options.drop, options);
  return tf.layers.add({ name: `${block}add` }).apply([x, input]) as Feature;
}

function normRelu6(x: Feature, name: string, options: BlockOptions): Feature {
  return batchNormActivation(x, { norm: name, activation: `${name}.act` }, 'relu6', options);
}
