import { concatenateLayer, upSamplingLayer } from '../../engine/layers/convolution.ts';
import { type BlockOptions, batchNormActivation, convolution, type Feature } from '../blocks.ts';
import type { Decoded } from './decoded.ts';

/** Channels after each doubling of the resolution, from stride 16 to stride 1. */
const CHANNELS = [256, 128, 64, 32, 16] as const;

/**
 * U-Net's expanding path (Ronneberger et al., 2015) with nearest-neighbour up-sampling and batch normalization:
 * features at strides 2 to 32 → levels at strides 16 to 1, of 256 to 16 channels.
 */
export function buildUnet(features: readonly Feature[], dropout: number, options: BlockOptions): Decoded {
  const [deepest, ...skips] = [...features].reverse();
  let x = deepest!;
  const levels = CHANNELS.map((channels, level) => {
    const block = `decoder${level + 1}_`;
    x = upSamplingLayer(`${block}up`).apply(x) as Feature;
    const skip = skips[level];
    if (skip !== undefined) x = concatenateLayer(`${block}concat`).apply([x, skip]) as Feature;
    for (const part of ['a', 'b']) {
      x = convolution(x, `${block}conv_${part}`, channels, 3, options);
      const names = { norm: `${block}bn_${part}`, activation: `${block}relu_${part}` };
      x = batchNormActivation(x, names, 'relu', options);
    }
    return x;
  });
  return { levels, dropout, headKernel: 3 };
}
