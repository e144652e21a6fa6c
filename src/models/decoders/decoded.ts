import type { Feature } from '../blocks.ts';

/** What every decoder gives to the head that makes logits of it. */
export interface Decoded {
  /** The results of its levels from coarse to fine; the last one is the decoder's own. */
  levels: Feature[];
  /** Rate of dropout before the head's convolution. */
  dropout: number;
  /** Side of the head's convolution. */
  headKernel: 1 | 3;
}
