import { deriveSeed } from '../core/random.ts';
import { Activation, type ActivationName } from '../engine/layers/activation.ts';
import { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { conv2dLayer } from '../engine/layers/convolution.ts';
import { Dropout } from '../engine/layers/dropout.ts';
import { tf } from '../engine/tf.ts';

/** A tensor of a network under construction, [N,H,W,C]; H and W are known, N is not. */
export type Feature = tf.SymbolicTensor;

/** Of Keras applications. */
const KERAS_EPSILON = 1e-3;

/** How a network's weights begin: every layer draws from a stream of its own, named after it. */
export interface BlockOptions {
  seed: number;
  /** Of batch normalization's moving statistics. */
  normMomentum: number;
  /** Of batch normalization: added to the variance; left out: 1e-3, as Keras applications have it. */
  normEpsilon?: number;
}

/** Kernel initialization of EfficientNet and ResNet alike: normal of variance 2 / fan out (He et al., 2015, eq. 14). */
export function kernelInitializer(options: BlockOptions, name: string) {
  const seed = deriveSeed(options.seed, name);
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
  const layer = conv2dLayer({
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
export function batchNorm(x: Feature, name: string, { normMomentum, normEpsilon }: BlockOptions): Feature {
  const epsilon = normEpsilon ?? KERAS_EPSILON;
  return new BatchNormalization({ name, momentum: normMomentum, epsilon }).apply(x) as Feature;
}

/**
 * Batch normalization and then an activation, shape kept: two layers, as Keras names and stores them, whose work the
 * first does for both in one kernel.
 */
export function batchNormActivation(
  x: Feature,
  names: { norm: string; activation: string },
  kind: ActivationName,
  { normMomentum, normEpsilon }: BlockOptions,
): Feature {
  const epsilon = normEpsilon ?? KERAS_EPSILON;
  const norm = { name: names.norm, momentum: normMomentum, epsilon, activation: { name: kind } };
  const normalized = new BatchNormalization(norm).apply(x) as Feature;
  return new Activation({ name: names.activation, activation: kind, applied: true }).apply(normalized) as Feature;
}

/** An activation, shape kept. */
export function activation(x: Feature, name: string, kind: ActivationName): Feature {
  return new Activation({ name, activation: kind }).apply(x) as Feature;
}

/** Dropout before the last convolution, shape kept; nothing where the rate is 0. */
export function dropUnits(x: Feature, rate: number, { seed }: BlockOptions): Feature {
  if (rate === 0) return x;
  const name = 'decoder_dropout';
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
  const layer = tf.layers.conv2d({ name: 'gray_to_rgb', filters: 3, kernelSize: 1, trainable: false });
  const rgb = layer.apply(x) as Feature;
  tf.tidy(() => {
    const kernel = tf.tensor4d(
      std.map((s) => 1 / (255 * s)),
      [1, 1, 1, 3],
    );
    layer.setWeights([kernel, tf.tensor1d(mean.map((m, i) => -m / std[i]!))]);
  });
  return rgb;
}
