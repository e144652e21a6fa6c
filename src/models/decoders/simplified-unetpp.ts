import { concatenateLayer } from '../../engine/layers/convolution.ts';
import { tf } from '../../engine/tf.ts';
import { activation, convolution, dropUnits, type Feature } from '../blocks.ts';
import { attend } from './attention.ts';
import type { Decoded, DecoderOptions } from './contract.ts';
import { leakyReluNorm, norm, normActivation } from './norm.ts';
import { upConvolution } from './up-sample.ts';

/** Channels of the levels, from stride 16 to stride 1, and of what comes before them at stride 32. */
const CHANNELS = [128, 64, 32, 16, 8] as const;
const MIDDLE_CHANNELS = 256;
const LEAKY_RELU = { name: 'leaky_relu', alpha: 0.1 } as const;
/** Rates of dropout after the middle's pooling and each level's concatenation, as shares of the configured one (0.5). */
const MIDDLE_DROPOUT = 1;
const DROPOUT = [1, 1, 0.2, 0.2, 0.2] as const;
const LAST_DROPOUT = 0.5;

/**
 * The report's simplified U-Net++, as its author published it for Keras and EfficientNet-B4: of U-Net++ (Zhou et al.,
 * 2018) it keeps that every level sees all coarser ones, and leaves out the convolutions on the way. Each level's
 * up-sampled beginning is carried on, up-sampled again and again by transposed convolutions, and concatenated at every
 * finer level that has a skip ("hyperkernels"). The skip at stride 16 is taken after its leaky relu.
 * Expanded features at strides 2 to 16, of which the last one is where the encoder ends → levels at strides 16 to 1, of 128
 * to 8 channels. Published with dropout 0.5 (the rate at the coarse end, from which the others follow) and up-sampling
 * `transposed`.
 */
export function buildSimplifiedUnetpp(expansions: readonly Feature[], options: DecoderOptions): Decoded {
  const { dropout } = options;
  const keras = { ...options, initializer: 'glorot' } as const;
  const [deepest, ...finer] = [...expansions].reverse();
  const deep = activation(deepest!, 'middle_skip_relu', LEAKY_RELU);
  const skips = [deep, ...finer];
  let x = buildMiddle(deep, MIDDLE_DROPOUT * dropout, keras);
  /** What earlier levels began with, at the resolution of the level before, finest first. */
  let carried: Feature[] = [];
  const levels = CHANNELS.map((channels, level) => {
    const block = `decoder${level + 1}_`;
    const up = upConvolution(x, `${block}up`, channels, keras);
    const skip = skips[level];
    x = up;
    if (skip !== undefined) {
      carried = [up, ...carried.map((feature, back) => carry(feature, block, level - back, keras))];
      x = concatenateLayer(`${block}concat`).apply([...carried, skip]) as Feature;
    }
    x = dropUnits(x, `${block}drop`, DROPOUT[level]! * dropout, keras);
    x = convolution(x, `${block}conv`, channels, 3, { ...keras, bias: 0 });
    x = residualBlock(x, `${block}residual`, keras);
    x = attend(activation(x, `${block}relu`, LEAKY_RELU), `${block}scse`, options);
    return x;
  });
  return { levels, dropout: LAST_DROPOUT * dropout, head: { kernelSize: 1, initializer: 'he' } };
}

/** Stride 16 → stride 32, 256 channels. */
function buildMiddle(deep: Feature, dropout: number, options: DecoderOptions): Feature {
  let x = tf.layers.maxPooling2d({ name: 'middle_pool', poolSize: 2, strides: 2 }).apply(deep) as Feature;
  x = dropUnits(x, 'middle_drop', dropout, options);
  x = convolution(x, 'middle_conv', MIDDLE_CHANNELS, 3, { ...options, bias: 0 });
  x = residualBlock(x, 'middle_residual_a', options);
  x = residualBlock(x, 'middle_residual_b', options);
  return activation(x, 'middle_relu', LEAKY_RELU);
}

/** One step on of the beginning of an earlier level: twice the resolution, as many channels. */
function carry(feature: Feature, block: string, from: number, options: DecoderOptions): Feature {
  return upConvolution(feature, `${block}from${from}`, feature.shape.at(-1)!, options);
}

/**
 * Leaky relu, batch norm, convolution, batch norm, leaky relu, convolution, batch norm; added to the batch norm of what
 * came in (after He et al., 2016, with the activation first); shape kept.
 */
function residualBlock(input: Feature, name: string, options: DecoderOptions): Feature {
  const channels = input.shape.at(-1)!;
  const names = { activation: `${name}_relu`, norm: `${name}_bn` };
  let x = leakyReluNorm(input, names, LEAKY_RELU.alpha, options);
  const shortcut = norm(input, `${name}_shortcut_bn`, options);
  x = convolution(x, `${name}_conv_a`, channels, 3, { ...options, bias: 0 });
  x = normActivation(x, { norm: `${name}_bn_a`, activation: `${name}_relu_a` }, LEAKY_RELU, options);
  x = norm(convolution(x, `${name}_conv_b`, channels, 3, { ...options, bias: 0 }), `${name}_bn_b`, options);
  return tf.layers.add({ name: `${name}_add` }).apply([x, shortcut]) as Feature;
}
