import { standardize } from '../kernels/standardize.ts';
import { upsampledConvolution } from '../kernels/upsampled-convolution.ts';
import { tf } from '../tf.ts';

/** What a tensor was put together from. A convolution works on the parts, and a graph never computes the whole. */
type Origin = { upsampled: tf.Tensor4D } | { parts: tf.Tensor4D[] };
const origins = new WeakMap<tf.Tensor, Origin>();

type Call = (inputs: tf.Tensor | tf.Tensor[], kwargs: object) => tf.Tensor;

/** Keras's UpSampling2D by two, to the nearest neighbour. */
export function upSamplingLayer(name: string): tf.layers.Layer {
  const layer = tf.layers.upSampling2d({ name, size: [2, 2] });
  return replaceCall(layer, (inputs, kwargs, call) => {
    const whole = call(inputs, kwargs);
    // tfjs disposes of a layer's inputs once it has run: a handle of our own keeps them.
    origins.set(whole, { upsampled: only(inputs).clone() });
    return whole;
  });
}

/** Keras's Concatenate over channels. */
export function concatenateLayer(name: string): tf.layers.Layer {
  return replaceCall(tf.layers.concatenate({ name }), (inputs, kwargs, call) => {
    const whole = call(inputs, kwargs);
    origins.set(whole, { parts: (inputs as tf.Tensor4D[]).map(keepOrigin) });
    return whole;
  });
}

type Conv2DConfig = Parameters<typeof tf.layers.conv2d>[0];

/**
 * Keras's Conv2D. Where it is a 3×3 one of stride 1 over up-sampled channels (alone, or concatenated with others), it
 * is the sum of convolutions of the parts, those of up-sampled ones at half the resolution: fewer multiplications, and
 * neither the up-sampled nor the concatenated array. The weights and the result are the same, but for rounding.
 */
export function conv2dLayer(config: Conv2DConfig): tf.layers.Layer {
  const layer = tf.layers.conv2d(config);
  if (!takesParts(config)) return layer;
  return replaceCall(layer, (inputs, kwargs, call) => {
    const parts = partsOf(only(inputs));
    if (!parts.some(isUpsampled)) return call(inputs, kwargs);
    const [kernel, bias] = layer.weights.map((weight) => weight.read());
    return addBias(tf.addN(convolveParts(parts, kernel as tf.Tensor4D)), bias);
  });
}

const standardized = new WeakSet<tf.layers.Layer>();

/** Whether a layer standardizes its kernel: then it gives the same whatever its kernel is multiplied by. */
export function isStandardized(layer: tf.layers.Layer): boolean {
  return standardized.has(layer);
}

/**
 * The same with its kernel standardized before it is used (see `standardize`); the weights are those of before. Exported,
 * it is a plain Conv2D: whoever loads that has to standardize the kernel.
 */
export function standardizedConv2dLayer(config: Conv2DConfig & { strides: number }): tf.layers.Layer {
  const layer = tf.layers.conv2d(config);
  standardized.add(layer);
  return replaceCall(layer, (inputs) => {
    const [weights, bias] = layer.weights.map((weight) => weight.read());
    const kernel = standardize(weights as tf.Tensor4D);
    const parts = takesParts(config) ? partsOf(only(inputs)) : [];
    if (parts.some(isUpsampled)) return addBias(tf.addN(convolveParts(parts, kernel)), bias);
    return addBias(tf.conv2d(only(inputs), kernel, config.strides, config.padding as 'same' | 'valid'), bias);
  });
}

function takesParts({ kernelSize, padding, strides = 1 }: Conv2DConfig): boolean {
  return kernelSize === 3 && padding === 'same' && strides === 1;
}

function addBias(x: tf.Tensor, bias: tf.Tensor | undefined): tf.Tensor {
  return bias === undefined ? x : x.add(bias);
}

function convolveParts(parts: readonly tf.Tensor4D[], kernel: tf.Tensor4D): tf.Tensor4D[] {
  let first = 0;
  return parts.map((part) => {
    const channels = part.shape[3];
    const slice = parts.length === 1 ? kernel : kernel.slice([0, 0, first, 0], [3, 3, channels, -1]);
    first += channels;
    const origin = origins.get(part);
    if (origin !== undefined && 'upsampled' in origin) return upsampledConvolution(origin.upsampled, slice);
    return tf.conv2d(part, slice, 1, 'same');
  });
}

function partsOf(x: tf.Tensor4D): tf.Tensor4D[] {
  const origin = origins.get(x);
  return origin !== undefined && 'parts' in origin ? origin.parts : [x];
}

/** A handle of our own on a part, with what is known of its making. */
function keepOrigin(part: tf.Tensor4D): tf.Tensor4D {
  const handle = part.clone();
  const origin = origins.get(part);
  if (origin !== undefined) origins.set(handle, origin);
  return handle;
}

function isUpsampled(x: tf.Tensor): boolean {
  return 'upsampled' in (origins.get(x) ?? {});
}

function only(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor4D {
  return (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
}

/** tfjs does not export its layers' classes: the method is replaced on the layer itself. */
function replaceCall(
  layer: tf.layers.Layer,
  work: (inputs: tf.Tensor | tf.Tensor[], kwargs: object, call: Call) => tf.Tensor,
): tf.layers.Layer {
  const call = layer.call.bind(layer) as Call;
  layer.call = (inputs, kwargs) => work(inputs, kwargs, call);
  return layer;
}
