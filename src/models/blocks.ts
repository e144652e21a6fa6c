import { deriveSeed } from '../core/random.ts';
import type { NormActivation } from '../engine/kernels/batch-norm.ts';
import { Activation, type ActivationName } from '../engine/layers/activation.ts';
import { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { conv2dLayer, standardizedConv2dLayer } from '../engine/layers/convolution.ts';
import { Dropout } from '../engine/layers/dropout.ts';
import { LeakyReLU } from '../engine/layers/leaky-relu.ts';
import { tf } from '../engine/tf.ts';
import { GRAY_TO_RGB, normalizationWeights } from './gray-to-rgb.ts';

/** A tensor of a network under construction, [N,H,W,C]; H and W are known, N is not. */
export type Feature = tf.SymbolicTensor;

/** Of Keras applications. */
const KERAS_EPSILON = 1e-3;

/** What comes after a normalization: one of the engine's activations, or leaky relu with its slope below zero. */
export type Nonlinearity = ActivationName | { name: 'leaky_relu'; alpha: number };

/** How a network's weights begin: every layer draws from a stream of its own, named after it. */
export interface BlockOptions {
  seed: number;
  /** `he` (left out) or `glorot`, Keras's own where a network says nothing (Glorot and Bengio, 2010, eq. 16). */
  initializer?: 'he' | 'glorot';
  /** Of batch normalization's moving statistics. */
  normMomentum: number;
  /** Of batch normalization: added to the variance; left out: 1e-3, as Keras applications have it. */
  normEpsilon?: number;
  /** Whether batch normalization trains by its moving statistics, which then stay as they are. */
  normFrozen?: boolean;
  /** Whether the kernels of convolutions are standardized, which group normalization wants after them. */
  standardized?: boolean;
}

/** Kernel initialization of EfficientNet and ResNet alike: normal of variance 2 / fan out (He et al., 2015, eq. 14). */
export function kernelInitializer(options: BlockOptions, name: string) {
  const seed = deriveSeed(options.seed, name);
  if (options.initializer === 'glorot') return tf.initializers.glorotUniform({ seed });
  return tf.initializers.varianceScaling({ scale: 2, mode: 'fanOut', distribution: 'truncatedNormal', seed });
}

/** A convolution k×k, [N,H,W,C] → [N,H/stride,W/stride,filters]; with a bias where its initial value is given. */
export function convolution(
  x: Feature,
  name: string,
  filters: number,
  kernelSize: number,
  options: BlockOptions & { strides?: number; padding?: 'same' | 'valid'; bias?: number },
): Feature {
  const make = options.standardized === true ? standardizedConv2dLayer : conv2dLayer;
  const layer = make({
    name,
    filters,
    kernelSize,
    strides: options.strides ?? 1,
    padding: options.padding ?? 'same',
    useBias: options.bias !== undefined,
    biasInitializer: tf.initializers.constant({ value: options.bias ?? 0 }),
    kernelInitializer: kernelInitializer(options, name),
  });
  return layer.apply(x) as Feature;
}

/** A transposed convolution k×k of stride 2, with a bias (Zeiler et al., 2010): [N,H,W,C] → [N,2H,2W,filters]. */
export function transposedConvolution(
  x: Feature,
  name: string,
  filters: number,
  kernelSize: number,
  options: BlockOptions,
): Feature {
  const layer = tf.layers.conv2dTranspose({
    name,
    filters,
    kernelSize,
    strides: 2,
    padding: 'same',
    kernelInitializer: kernelInitializer(options, name),
  });
  return layer.apply(x) as Feature;
}

/** A k×k convolution of each channel by itself, [N,H,W,C] → [N,H/stride,W/stride,C]. */
export function depthwiseConvolution(
  x: Feature,
  name: string,
  kernelSize: number,
  options: BlockOptions & { strides: number },
): Feature {
  const { strides } = options;
  const padding = 'same';
  const depthwiseInitializer = kernelInitializer(options, name);
  const layer = tf.layers.depthwiseConv2d({ name, kernelSize, strides, padding, useBias: false, depthwiseInitializer });
  return layer.apply(x) as Feature;
}

/** Batch normalization, shape kept. */
export function batchNorm(x: Feature, name: string, options: BlockOptions): Feature {
  return batchNormLayer(name, { name: 'none' }, options).apply(x) as Feature;
}

/**
 * Batch normalization and then an activation, shape kept: two layers, as Keras names and stores them, whose work the
 * first does for both in one kernel.
 */
export function batchNormActivation(
  x: Feature,
  names: { norm: string; activation: string },
  kind: Nonlinearity,
  options: BlockOptions,
): Feature {
  const normalized = batchNormLayer(names.norm, fusedWith(kind), options).apply(x) as Feature;
  return activationLayer(names.activation, kind, true).apply(normalized) as Feature;
}

/** A batch normalization that does the work of the activation beside it too. */
export function batchNormLayer(name: string, activation: NormActivation, options: BlockOptions): tf.layers.Layer {
  const { normMomentum: momentum, normEpsilon: epsilon = KERAS_EPSILON, normFrozen: frozen = false } = options;
  return new BatchNormalization({ name, momentum, epsilon, activation, frozen });
}

/** An activation as a normalization before it does it. */
export function fusedWith(kind: Nonlinearity): NormActivation {
  return typeof kind === 'string' ? { name: kind } : kind;
}

/** An activation, shape kept. */
export function activation(x: Feature, name: string, kind: Nonlinearity): Feature {
  return activationLayer(name, kind, false).apply(x) as Feature;
}

/** The layer of an activation; `applied`: a normalization beside it does its work. */
export function activationLayer(name: string, kind: Nonlinearity, applied: boolean): tf.layers.Layer {
  if (typeof kind === 'string') return new Activation({ name, activation: kind, applied });
  return new LeakyReLU({ name, alpha: kind.alpha, applied });
}

/** Dropout of units (Srivastava et al., 2014), shape kept; nothing where the rate is 0. */
export function dropUnits(x: Feature, name: string, rate: number, { seed }: BlockOptions): Feature {
  if (rate === 0) return x;
  return new Dropout({ name, rate, stream: deriveSeed(seed, name) }).apply(x) as Feature;
}

/** Drop-connect (Huang et al., 2016, stochastic depth): a whole sample's branch is zero at this rate; shape kept. */
export function dropBranch(x: Feature, name: string, rate: number, { seed }: BlockOptions): Feature {
  if (rate === 0) return x;
  return new Dropout({ name, rate, stream: deriveSeed(seed, name), perSample: true }).apply(x) as Feature;
}

/**
 * A grey picture of 0 to 255 as the three normalized channels that published encoders expect, [N,H,W,1] → [N,H,W,3]:
 * (x/255 − mean)/std per channel, as a fixed 1×1 convolution, so that any reader of the model can run it.
 */
export function grayToRgb(x: Feature, mean: readonly number[], std: readonly number[]): Feature {
  const layer = tf.layers.conv2d({ name: GRAY_TO_RGB, filters: 3, kernelSize: 1, trainable: false });
  const rgb = layer.apply(x) as Feature;
  const weights = [...normalizationWeights(mean, std).values()];
  tf.tidy(() => layer.setWeights(weights.map(({ shape, data }) => tf.tensor(data, shape))));
  return rgb;
}
