import type { Feature } from '../blocks.ts';
import type { DecoderName } from './choices.ts';
import type { Decoded, DecoderOptions } from './contract.ts';
import { buildFpn } from './fpn.ts';
import { buildSimplifiedUnetpp } from './simplified-unetpp.ts';
import { buildUnet } from './unet.ts';
import { buildUnetpp } from './unetpp.ts';

/**
 * A decoder on its encoder's features, from fine to coarse: the pyramid of five at strides 2 to 32, or, for
 * `simplified-unetpp`, the expanded features at strides 2 to 16.
 */
export function buildDecoder(name: DecoderName, features: readonly Feature[], options: DecoderOptions): Decoded {
  switch (name) {
    case 'unet':
      return buildUnet(features, options);
    case 'unetpp':
      return buildUnetpp(features, options);
    case 'simplified-unetpp':
      return buildSimplifiedUnetpp(features, options);
    case 'fpn':
      return buildFpn(features, options);
  }
}
