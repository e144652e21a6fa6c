import { concatenateLayer } from '../../engine/layers/convolution.ts';
import { convolution, type Feature } from '../blocks.ts';
import { attend } from './attention.ts';
import type { DecoderOptions } from './contract.ts';
import { normActivation } from './norm.ts';
import { upSample } from './up-sample.ts';

/** Channels of U-Net's levels, from stride 16 to stride 1. */
export const UNET_CHANNELS = [256, 128, 64, 32, 16] as const;

/**
 * One step of U-Net's expanding path (Ronneberger et al., 2015): the coarser feature up-sampled, concatenated with what
 * there is at its new resolution, and two 3×3 convolutions with normalization and relu: [N,H,W,C] → [N,2H,2W,channels].
 * @param block what the names of its layers begin with
 */
export function unetBlock(
  coarser: Feature,
  skips: readonly Feature[],
  block: string,
  channels: number,
  options: DecoderOptions,
): Feature {
  let x = upSample(coarser, `${block}up`, channels, options);
  if (skips.length > 0) {
    x = concatenateLayer(`${block}concat`).apply([x, ...skips]) as Feature;
    x = attend(x, `${block}scse_in`, options);
  }
  for (const part of ['a', 'b']) {
    x = convolution(x, `${block}conv_${part}`, channels, 3, options);
    const names = { norm: `${block}bn_${part}`, activation: `${block}relu_${part}` };
    x = normActivation(x, names, 'relu', options);
  }
  return attend(x, `${block}scse_out`, options);
}
