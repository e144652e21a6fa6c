import type { Feature } from '../blocks.ts';
import type { Decoded, DecoderOptions } from './contract.ts';
import { UNET_CHANNELS, unetBlock } from './unet-block.ts';

/**
 * U-Net's expanding path (Ronneberger et al., 2015) with normalization, as segmentation_models.pytorch lays it out:
 * features at strides 2 to 32 → levels at strides 16 to 1, of 256 to 16 channels.
 */
export function buildUnet(features: readonly Feature[], options: DecoderOptions): Decoded {
  const [deepest, ...skips] = [...features].reverse();
  let x = deepest!;
  const levels = UNET_CHANNELS.map((channels, level) => {
    x = unetBlock(x, skips.slice(level, level + 1), `decoder${level + 1}_`, channels, options);
    return x;
  });
  return { levels, dropout: options.dropout, head: { kernelSize: 3, initializer: 'he' } };
}
