import type { NormActivation } from '../../engine/kernels/batch-norm.ts';
import { GroupNormalization } from '../../engine/layers/group-normalization.ts';
import { LeakyReLU } from '../../engine/layers/leaky-relu.ts';
import type { tf } from '../../engine/tf.ts';
import { activationLayer, batchNormLayer, type Feature, fusedWith, type Nonlinearity } from '../blocks.ts';
import type { DecoderOptions } from './contract.ts';

/** As the paper has them (Wu and He, 2018, section 4): at most so many groups, and no smaller ones. */
const MOST_GROUPS = 32;
const LEAST_GROUP = 4;
const GROUP_EPSILON = 1e-5;

/** The decoder's normalization, shape kept. A layer that is named for batch norm (`…bn…`) is `…gn…` as group norm. */
export function norm(x: Feature, name: string, options: DecoderOptions): Feature {
  return normLayer(x, name, { name: 'none' }, options).apply(x) as Feature;
}

/** The decoder's normalization and then an activation, in one kernel, shape kept. */
export function normActivation(
  x: Feature,
  names: { norm: string; activation: string },
  kind: Nonlinearity,
  options: DecoderOptions,
): Feature {
  const normalized = normLayer(x, names.norm, fusedWith(kind), options).apply(x) as Feature;
  return activationLayer(names.activation, kind, true).apply(normalized) as Feature;
}

/** Leaky relu and then the decoder's normalization, in one kernel, shape kept. */
export function leakyReluNorm(
  x: Feature,
  names: { activation: string; norm: string },
  alpha: number,
  options: DecoderOptions,
): Feature {
  const bent = new LeakyReLU({ name: names.activation, alpha, applied: true }).apply(x) as Feature;
  return normLayer(x, names.norm, { name: 'after_leaky_relu', alpha }, options).apply(bent) as Feature;
}

function normLayer(x: Feature, name: string, activation: NormActivation, options: DecoderOptions): tf.layers.Layer {
  if (options.norm === 'batch') return batchNormLayer(name, activation, options);
  const groups = groupsOf(x.shape.at(-1)!);
  return new GroupNormalization({ name: name.replace('bn', 'gn'), groups, epsilon: GROUP_EPSILON, activation });
}

/** The most groups of equal size that leave each enough channels; one where there are too few. */
export function groupsOf(channels: number): number {
  let groups = Math.max(1, Math.min(MOST_GROUPS, Math.floor(channels / LEAST_GROUP)));
  while (channels % groups !== 0) groups--;
  return groups;
}
