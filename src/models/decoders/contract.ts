import type { BlockOptions, Feature } from '../blocks.ts';
import type { ATTENTIONS, NORMS, UPSAMPLINGS } from './choices.ts';

/** What every decoder is built with, beside the encoder's features. */
export interface DecoderOptions extends BlockOptions {
  norm: (typeof NORMS)[number];
  upsample: (typeof UPSAMPLINGS)[number];
  attention: (typeof ATTENTIONS)[number];
  /** The configured rate of dropout. */
  dropout: number;
}

/** What every decoder gives to the head that makes logits of it. */
export interface Decoded {
  /** The results of its levels from coarse to fine; the last one is the decoder's own. */
  levels: Feature[];
  /** Rate of dropout before the head's convolution. */
  dropout: number;
  /** The head's convolution: its side, and how its weights begin. */
  head: { kernelSize: 1 | 3; initializer: 'he' | 'glorot' };
}
