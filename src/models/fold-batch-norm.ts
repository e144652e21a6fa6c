import type { NamedTensors } from '../core/safetensors.ts';
import { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { isStandardized } from '../engine/layers/convolution.ts';
import type { tf } from '../engine/tf.ts';

/**
 * Batch normalizations by their moving statistics folded into the convolutions before them (Jacob et al., 2018,
 * https://arxiv.org/abs/1712.05877, section 3.2): with s = γ/√(σ² + ε) the kernel becomes w·s, a bias b·s, and what is left of
 * the normalization is adding β − µ·s (its beta; the layer is told so). For prediction; the network cannot be trained after.
 * Returns the weights that the network then needs; `weights` stay as they are.
 */
export function foldBatchNorm(model: tf.LayersModel, weights: NamedTensors): NamedTensors {
  const folded: NamedTensors = new Map(weights);
  for (const norm of model.layers) {
    if (!(norm instanceof BatchNormalization)) continue;
    const convolution = onlyLayerBefore(norm);
    if (convolution === undefined || !takesScale(convolution)) continue;
    const kernels = [`${convolution.name}/kernel`, `${convolution.name}/depthwise_kernel`];
    const kernelName = kernels.find((name) => weights.has(name));
    if (kernelName === undefined) continue;
    const [gamma, beta, mean, variance] = ['gamma', 'beta', 'moving_mean', 'moving_variance'].map(
      (part) => weights.get(`${norm.name}/${part}`)!.data,
    );
    const scale = gamma!.map((g, channel) => g / Math.sqrt(variance![channel]! + norm.epsilon));
    const { shape, data } = weights.get(kernelName)!;
    // [k,k,C,K] of a convolution ends with its outputs; [k,k,C,1] of a depthwise one runs through them all the same.
    folded.set(kernelName, { shape, data: data.map((w, index) => w * scale[index % scale.length]!) });
    const biasName = `${convolution.name}/bias`;
    const bias = weights.get(biasName);
    if (bias !== undefined) {
      folded.set(biasName, { shape: bias.shape, data: bias.data.map((b, channel) => b * scale[channel]!) });
    }
    const offset = beta!.map((b, channel) => b - mean![channel]! * scale[channel]!);
    folded.set(`${norm.name}/beta`, { shape: [offset.length], data: offset });
    norm.folded = true;
  }
  return folded;
}

/** Not a transposed one, whose kernel [k,k,K,C] does not end with its outputs, nor one that takes any scale away again. */
function takesScale(convolution: tf.layers.Layer): boolean {
  return convolution.getClassName() !== 'Conv2DTranspose' && !isStandardized(convolution);
}

/** The layer that a normalization reads, where nothing else reads that too. */
function onlyLayerBefore(norm: tf.layers.Layer): tf.layers.Layer | undefined {
  const [before] = norm.inboundNodes[0]!.inboundLayers;
  return before !== undefined && before.outboundNodes.length === 1 ? before : undefined;
}
