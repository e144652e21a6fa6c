import type { NamedTensors } from '../core/safetensors.ts';

/** The layer that every network begins with. */
export const GRAY_TO_RGB = 'gray_to_rgb';

/** The weights of that layer: (x/255 − mean)/std for each channel, as a 1×1 convolution [1,1,1,3] with a bias [3]. */
export function normalizationWeights(mean: readonly number[], std: readonly number[]): NamedTensors {
  const kernel = Float32Array.from(std, (deviation) => 1 / (255 * deviation));
  const bias = Float32Array.from(mean, (value, channel) => -value / std[channel]!);
  return new Map([
    [`${GRAY_TO_RGB}/kernel`, { shape: [1, 1, 1, 3], data: kernel }],
    [`${GRAY_TO_RGB}/bias`, { shape: [3], data: bias }],
  ]);
}
