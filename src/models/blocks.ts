import { deriveSeed } from '../core/random.ts';
import { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { Swish } from '../engine/layers/swish.ts';
import { tf } from '../engine/tf.ts';

/** A tensor of a network under construction, [N,H,W,C]; H and W are known, N is not. */
export type Feature = tf.SymbolicTensor;

/** How a network's weights begin: every layer draws from a stream of its own, named after it. */
export interface BlockOptions {
  seed: number;
  /** Of batch normalization's moving statistics. */
  normMomentum: number;
}

/** Kernel initialization of EfficientNet and ResNet alike: normal of variance 2 / fan out (He et al., 2015, eq. 14). */
function kernelInitializer(options: BlockOptions, name: string) {
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
  const layer = tf.layers.conv2d({
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
  options: BlockOptions & { strides: number; padding: 'same' | 'valid' },
): Feature {
  const { strides, padding } = options;
  const depthwiseInitializer = kernelInitializer(options, name);
  const layer = tf.layers.depthwiseConv2d({ name, kernelSize, strides, padding, useBias: false, depthwiseInitializer });
  return layer.apply(x) as Feature;
}

/** Batch normalization with the epsilon of Keras applications, shape kept. */
export function batchNorm(x: Feature, name: string, { normMomentum }: BlockOptions): Feature {
  return new BatchNormalization({ name, momentum: normMomentum, epsilon: 1e-3 }).apply(x) as Feature;
}

/** Swish, shape kept. */
export function swishActivation(x: Feature, name: string): Feature {
  return new Swish({ name }).apply(x) as Feature;
}

/** ReLU, shape kept. */
export function reluActivation(x: Feature, name: string): Feature {
  return tf.layers.activation({ name, activation: 'relu' }).apply(x) as Feature;
}

/**
 * Zero padding before a valid convolution of stride 2, as Keras applications do it so that weights fit (`correct_pad`):
 * for an even side the far edge gets one more than the near one.
 */
export function padForStride2(x: Feature, name: string, kernelSize: number): Feature {
  const far = Math.floor(kernelSize / 2);
  const pad = (side: number | null | undefined): [number, number] => [far - (1 - (side! % 2)), far];
  const padding: [[number, number], [number, number]] = [pad(x.shape[1]), pad(x.shape[2])];
  return tf.layers.zeroPadding2d({ name, padding }).apply(x) as Feature;
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
