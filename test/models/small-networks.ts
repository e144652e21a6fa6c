import { nameScopes } from '../../src/engine/layers/scopes.ts';
import { tf } from '../../src/engine/tf.ts';
import { batchNormActivation, convolution, type Feature, grayToRgb } from '../../src/models/blocks.ts';
import type { DecoderName } from '../../src/models/decoders/choices.ts';
import type { DecoderOptions } from '../../src/models/decoders/contract.ts';
import { buildHead } from '../../src/models/decoders/head.ts';
import { buildDecoder } from '../../src/models/decoders/index.ts';
import { SIDE } from '../engine/steps-for-tests.ts';

export type Choices = Partial<Pick<DecoderOptions, 'norm' | 'upsample' | 'attention' | 'dropout'>> & {
  hypercolumns?: boolean;
  encoderFrozen?: boolean;
};

/** Every choice at least once away from its default, in few networks. */
export const CHOICES: Record<string, Choices> = {
  'group norm, bilinear up-sampling, hypercolumns': { norm: 'group', upsample: 'bilinear', hypercolumns: true },
  'attention, transposed up-sampling, a frozen encoder': {
    attention: 'scse',
    upsample: 'transposed',
    encoderFrozen: true,
  },
  'attention, up-sampling to the nearest, group norm': { attention: 'scse', upsample: 'nearest', norm: 'group' },
};

/** A decoder on features of a few plain convolutions, so that it is what takes the time. */
export function buildSmall(decoder: DecoderName, choices: Choices, side = SIDE): tf.LayersModel {
  const { hypercolumns = false, encoderFrozen = false, ...rest } = choices;
  const base = { seed: 1, normMomentum: 0.9 };
  const input = tf.input({ shape: [side, side, 1] });
  let x = grayToRgb(input, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
  const features = [8, 12, 16, 24, 32].slice(0, decoder === 'simplified-unetpp' ? 4 : 5).map((channels, level) => {
    x = convolution(x, `block${level + 1}_conv`, channels, 3, { ...base, strides: 2 });
    const names = { norm: `block${level + 1}_bn`, activation: `block${level + 1}_activation` };
    x = batchNormActivation(x, names, 'swish', { ...base, normFrozen: encoderFrozen });
    return x;
  });
  const plain: DecoderOptions = { ...base, norm: 'batch', upsample: 'nearest', attention: 'none', dropout: 0.2 };
  const decoded = buildDecoder(decoder, features, { ...plain, ...rest, standardized: rest.norm === 'group' });
  // Logits of some units: by tens of them, a network that has learnt nothing shows each rounding in its probabilities.
  const head = { ...decoded.head, initializer: 'glorot' } as const;
  const logits: Feature = buildHead({ ...decoded, head }, { resolution: side, hypercolumns }, base);
  const model = tf.model({ inputs: input, outputs: logits });
  nameScopes(model);
  return model;
}
