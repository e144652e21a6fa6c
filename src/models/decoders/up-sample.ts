import { BilinearUpSampling2D } from '../../engine/layers/bilinear-up-sampling.ts';
import { upSamplingLayer } from '../../engine/layers/convolution.ts';
import { convolution, type Feature, transposedConvolution } from '../blocks.ts';
import type { DecoderOptions } from './contract.ts';

/**
 * Twice the resolution, [N,H,W,C] → [N,2H,2W,C]: to the nearest neighbour or bilinear with half-pixel centres; `transposed`
 * by a 2×2 transposed convolution of stride 2 to `channels` (Ronneberger et al., 2015, section 2).
 */
export function upSample(x: Feature, name: string, channels: number, options: DecoderOptions): Feature {
  if (options.upsample === 'transposed') return transposedConvolution(x, name, channels, 2, options);
  return resize(x, name, options.upsample);
}

/**
 * Twice the resolution and a 3×3 convolution with a bias, [N,H,W,C] → [N,2H,2W,channels]: `transposed` in one, by a
 * transposed convolution; else by resizing first (Odena et al., 2016, https://distill.pub/2016/deconv-checkerboard).
 */
export function upConvolution(x: Feature, name: string, channels: number, options: DecoderOptions): Feature {
  const { upsample } = options;
  if (upsample === 'transposed') return transposedConvolution(x, name, channels, 3, options);
  return convolution(resize(x, `${name}_resize`, upsample), name, channels, 3, {
    ...options,
    standardized: false,
    bias: 0,
  });
}

function resize(x: Feature, name: string, upsample: 'nearest' | 'bilinear'): Feature {
  const layer = upsample === 'nearest' ? upSamplingLayer(name) : new BilinearUpSampling2D({ name, factor: 2 });
  return layer.apply(x) as Feature;
}
