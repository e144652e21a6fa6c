import type { BlockOptions, Feature } from '../blocks.ts';
import { buildEfficientNet } from './efficientnet.ts';
import { buildEfficientNetLite } from './efficientnet-lite.ts';
import type { EncoderName } from './names.ts';
import { buildResNet } from './resnet.ts';

/** `dropConnect`: the probability that a sample skips the last block in training, growing to it from the first block on. */
export type EncoderOptions = BlockOptions & { dropConnect: number };

/**
 * The feature pyramid that most decoders read. rgb [N,H,W,3], normalized by the encoder's statistics → five features at
 * strides 2, 4, 8, 16, 32, from fine to coarse.
 */
export function buildEncoder(name: EncoderName, rgb: Feature, options: EncoderOptions): Feature[] {
  switch (name) {
    case 'efficientnet-b0':
    case 'efficientnet-b1':
    case 'efficientnet-b2':
    case 'efficientnet-b3':
    case 'efficientnet-b4':
    case 'efficientnet-b5':
    case 'efficientnet-b6':
    case 'efficientnet-b7':
      return buildEfficientNet(name, rgb, options);
    case 'efficientnet-lite0':
    case 'efficientnet-lite1':
    case 'efficientnet-lite2':
      return buildEfficientNetLite(name, rgb, options);
    case 'resnet18':
    case 'resnet34':
    case 'resnet50':
    case 'resnet101':
    case 'seresnext50-32x4d':
      return buildResNet(name, rgb, options);
  }
}
