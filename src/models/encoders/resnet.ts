import { GlobalAveragePooling2D } from '../../engine/layers/global-average-pooling.ts';
import { GroupedConvolution } from '../../engine/layers/grouped-convolution.ts';
import { ScaleByGate } from '../../engine/layers/scale-by-gate.ts';
import { tf } from '../../engine/tf.ts';
import {
  activation,
  type BlockOptions,
  batchNorm,
  batchNormActivation,
  convolution,
  dropBranch,
  type Feature,
  kernelInitializer,
} from '../blocks.ts';

interface Shape {
  /** Blocks of each of the four stages. */
  repeats: readonly number[];
  /** Two 3×3 convolutions, or a 3×3 one between two 1×1 ones that narrow and widen four times. */
  block: 'basic' | 'bottleneck';
  /** Groups of the 3×3 convolution, and its channels for each 64 of the stage's width. */
  groups?: number;
  width?: number;
  /** Channels of the gate's middle as a share of the block's: 1/16 of them. */
  squeezes?: boolean;
}

/** He et al., 2015, table 1 (https://arxiv.org/abs/1512.03385); Xie et al., 2017, table 1; Hu et al., 2018, table 1. */
const SHAPES = {
  resnet18: { repeats: [2, 2, 2, 2], block: 'basic' },
  resnet34: { repeats: [3, 4, 6, 3], block: 'basic' },
  resnet50: { repeats: [3, 4, 6, 3], block: 'bottleneck' },
  resnet101: { repeats: [3, 4, 23, 3], block: 'bottleneck' },
  'seresnext50-32x4d': { repeats: [3, 4, 6, 3], block: 'bottleneck', groups: 32, width: 128, squeezes: true },
} as const satisfies Record<string, Shape>;
export type ResNetName = keyof typeof SHAPES;

/** Of PyTorch's batch normalization. */
const NORM_EPSILON = 1e-5;
const STAGE_FILTERS = [64, 128, 256, 512] as const;
const WIDENING = 4;
const SQUEEZE = 16;

type ResNetOptions = BlockOptions & { drop: number };

/**
 * ResNet without its classifier, layers named and laid out as in torchvision and timm (`layer2.0.conv1`), strides in the
 * 3×3 convolutions. rgb [N,H,W,3], normalized → five features at strides 2, 4, 8, 16, 32: the stem's before its pooling,
 * then the four stages'.
 */
export function buildResNet(
  name: ResNetName,
  rgb: Feature,
  options: BlockOptions & { dropConnect: number },
): Feature[] {
  const shape: Shape = SHAPES[name];
  const torch = { ...options, normEpsilon: NORM_EPSILON };
  const stem = paddedConvolution(rgb, 'conv1', 64, 7, { ...torch, strides: 2 });
  let x = batchNormActivation(stem, { norm: 'bn1', activation: 'act1' }, 'relu', torch);
  const features = [x];
  // What relu gives is never below zero, so zeros around it are as good as nothing.
  x = pad(x, 'maxpool.pad', 1);
  x = tf.layers.maxPooling2d({ name: 'maxpool', poolSize: 3, strides: 2, padding: 'valid' }).apply(x) as Feature;
  const blocks = shape.repeats.reduce((count, repeats) => count + repeats, 0);
  let done = 0;
  shape.repeats.forEach((repeats, stage) => {
    for (let repeat = 0; repeat < repeats; repeat++) {
      const block = { ...shape, filters: STAGE_FILTERS[stage]!, stride: stage > 0 && repeat === 0 ? 2 : 1 };
      const drop = (options.dropConnect * done++) / blocks;
      x = residualBlock(x, `layer${stage + 1}.${repeat}.`, block, { ...torch, drop });
    }
    features.push(x);
  });
  return features;
}

/** A branch of convolutions added to what goes in, or to its projection where the shapes differ; relu of the sum. */
function residualBlock(
  input: Feature,
  name: string,
  shape: Shape & { filters: number; stride: number },
  options: ResNetOptions,
): Feature {
  const { block, filters, stride } = shape;
  const outputs = block === 'basic' ? filters : WIDENING * filters;
  let x = block === 'basic' ? basicBranch(input, name, shape, options) : bottleneckBranch(input, name, shape, options);
  if (shape.squeezes === true) x = squeezeExcite(x, `${name}se`, outputs / SQUEEZE, options);
  x = dropBranch(x, `${name}drop_path`, options.drop, options);
  let shortcut = input;
  if (stride !== 1 || input.shape.at(-1) !== outputs) {
    shortcut = convolution(input, `${name}downsample.0`, outputs, 1, { ...options, strides: stride });
    shortcut = batchNorm(shortcut, `${name}downsample.1`, options);
  }
  const sum = tf.layers.add({ name: `${name}add` }).apply([x, shortcut]) as Feature;
  return activation(sum, `${name}${block === 'basic' ? 'act2' : 'act3'}`, 'relu');
}

function basicBranch(
  input: Feature,
  name: string,
  { filters, stride }: { filters: number; stride: number },
  options: ResNetOptions,
): Feature {
  let x = paddedConvolution(input, `${name}conv1`, filters, 3, { ...options, strides: stride });
  x = batchNormActivation(x, { norm: `${name}bn1`, activation: `${name}act1` }, 'relu', options);
  return batchNorm(convolution(x, `${name}conv2`, filters, 3, options), `${name}bn2`, options);
}

function bottleneckBranch(
  input: Feature,
  name: string,
  { filters, stride, groups = 1, width = 64 }: Shape & { filters: number; stride: number },
  options: ResNetOptions,
): Feature {
  const middle = (filters * width) / 64;
  let x = convolution(input, `${name}conv1`, middle, 1, options);
  x = batchNormActivation(x, { norm: `${name}bn1`, activation: `${name}act1` }, 'relu', options);
  x = paddedConvolution(x, `${name}conv2`, middle, 3, { ...options, strides: stride, groups });
  x = batchNormActivation(x, { norm: `${name}bn2`, activation: `${name}act2` }, 'relu', options);
  return batchNorm(convolution(x, `${name}conv3`, WIDENING * filters, 1, options), `${name}bn3`, options);
}

/** Each channel scaled by a gate in (0, 1) computed from the means of all (Hu et al., 2018, eq. 2–4). */
function squeezeExcite(x: Feature, name: string, squeezed: number, options: BlockOptions): Feature {
  const channels = x.shape.at(-1)!;
  const means = new GlobalAveragePooling2D({ name: `${name}.squeeze` }).apply(x) as Feature;
  let gate = tf.layers.reshape({ name: `${name}.reshape`, targetShape: [1, 1, channels] }).apply(means) as Feature;
  gate = convolution(gate, `${name}.fc1`, squeezed, 1, { ...options, bias: 0 });
  gate = activation(gate, `${name}.act`, 'relu');
  gate = convolution(gate, `${name}.fc2`, channels, 1, { ...options, bias: 0 });
  gate = tf.layers.activation({ name: `${name}.gate`, activation: 'sigmoid' }).apply(gate) as Feature;
  return new ScaleByGate({ name: `${name}.excite` }).apply([x, gate]) as Feature;
}

/**
 * A k×k convolution padded by (k − 1)/2 on every side, as PyTorch's are: at stride 2 over even sides that is a pixel up and
 * left of where TensorFlow's 'same' lies. With `groups` more than 1, a grouped one.
 */
function paddedConvolution(
  x: Feature,
  name: string,
  filters: number,
  kernelSize: number,
  options: BlockOptions & { strides: number; groups?: number },
): Feature {
  const { strides, groups = 1 } = options;
  const padding = strides === 1 ? 'same' : 'valid';
  const padded = strides === 1 ? x : pad(x, `${name}.pad`, (kernelSize - 1) / 2);
  if (groups === 1) return convolution(padded, name, filters, kernelSize, { ...options, padding });
  const initializer = { kernelInitializer: kernelInitializer(options, name) };
  const layer = new GroupedConvolution({ name, filters, kernelSize, groups, strides, padding, ...initializer });
  return layer.apply(padded) as Feature;
}

/** Zeros on every side. */
function pad(x: Feature, name: string, padding: number): Feature {
  const sides: [[number, number], [number, number]] = [
    [padding, padding],
    [padding, padding],
  ];
  return tf.layers.zeroPadding2d({ name, padding: sides }).apply(x) as Feature;
}
