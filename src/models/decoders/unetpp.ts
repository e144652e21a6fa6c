import type { Feature } from '../blocks.ts';
import type { Decoded, DecoderOptions } from './contract.ts';
import { UNET_CHANNELS, unetBlock } from './unet-block.ts';

/**
 * U-Net++ (Zhou et al., 2018, https://arxiv.org/abs/1807.10165, equation 1), as segmentation_models.pytorch lays it out,
 * without deep supervision: every skip's resolution has blocks in a row, each of which sees all before it and the next
 * coarser row up-sampled; those in between have the skip's channels, the last of each row U-Net's.
 * Features at strides 2 to 32 → levels at strides 16 to 1, of 256 to 16 channels.
 */
export function buildUnetpp(features: readonly Feature[], options: DecoderOptions): Decoded {
  const [deepest, ...skips] = [...features].reverse();
  /** The blocks so far by level, the last of each row first: place p of level l begins from the skip p coarser. */
  const rows = skips.map((): Feature[] => []);
  for (let column = 0; column < skips.length; column++) {
    for (let level = column; level < skips.length; level++) {
      const place = level - column;
      const coarser = column === 0 ? [deepest!, ...skips][level]! : rows[level - 1]![place]!;
      const before = [...rows[level]!.slice(place + 1), skips[level]!];
      const channels = place === 0 ? UNET_CHANNELS[level]! : skips[level]!.shape.at(-1)!;
      const block = `decoder${level + 1}${letterOf(place)}_`;
      rows[level]![place] = unetBlock(coarser, before, block, channels, options);
    }
  }
  const levels = rows.map((row) => row[0]!);
  const finest = levels.length;
  levels.push(unetBlock(levels[finest - 1]!, [], `decoder${finest + 1}a_`, UNET_CHANNELS[finest]!, options));
  return { levels, dropout: options.dropout, head: { kernelSize: 3, initializer: 'glorot' } };
}

function letterOf(place: number): string {
  return String.fromCharCode('a'.charCodeAt(0) + place);
}
