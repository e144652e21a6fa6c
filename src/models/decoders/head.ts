import { BilinearUpSampling2D } from '../../engine/layers/bilinear-up-sampling.ts';
import { tf } from '../../engine/tf.ts';
import { type BlockOptions, convolution, dropUnits, type Feature } from '../blocks.ts';
import type { Decoded } from './contract.ts';

/** The probability that a new network gives every pixel: most are outside (Lin et al., 2017, section 3.3). */
const PRIOR = 0.01;
/** Channels that a coarser level has in a hypercolumn. */
const COLUMN_CHANNELS = 16;

/**
 * The logits [N,R,R,1] of a decoder, at the picture's resolution R: dropout, one convolution, and bilinear enlarging where
 * the decoder ends at a coarser one.
 * @param hypercolumns whether the convolution sees all levels rather than the last one
 */
export function buildHead(
  { levels, dropout, head }: Decoded,
  { resolution, hypercolumns }: { resolution: number; hypercolumns: boolean },
  options: BlockOptions,
): Feature {
  const seen = hypercolumns ? joinLevels(levels, options) : levels.at(-1)!;
  const kept = dropUnits(seen, 'decoder_dropout', dropout, options);
  // He's variance by the one channel that comes out alone is large: where many channels go in, no prior would be seen.
  const initializer = hypercolumns ? 'glorot' : head.initializer;
  const begins = { initializer, bias: Math.log(PRIOR / (1 - PRIOR)) };
  const logits = convolution(kept, 'mask_logits', 1, head.kernelSize, { ...options, ...begins });
  return enlarge(logits, 'mask_logits_up', resolution);
}

/**
 * Hypercolumns (Hariharan et al., 2015, https://arxiv.org/abs/1411.5752, section 3): the last level concatenated with all
 * others at its resolution, each brought to a few channels before, which comes to the same as after, and is less work.
 */
function joinLevels(levels: readonly Feature[], options: BlockOptions): Feature {
  const finest = levels.at(-1)!;
  const columns = levels.slice(0, -1).map((level, index) => {
    const name = `decoder_column${index + 1}`;
    const few = convolution(level, name, COLUMN_CHANNELS, 1, { ...options, bias: 0 });
    return enlarge(few, `${name}_up`, finest.shape[1]!);
  });
  return tf.layers.concatenate({ name: 'decoder_columns' }).apply([finest, ...columns]) as Feature;
}

function enlarge(x: Feature, name: string, side: number): Feature {
  const factor = side / x.shape[1]!;
  return factor === 1 ? x : (new BilinearUpSampling2D({ name, factor }).apply(x) as Feature);
}
