import { UserError } from '../../core/errors.ts';
import type { NamedTensors } from '../../core/safetensors.ts';

/** What a network begins with: every weight of it, and what to tell the user. */
export interface FittedWeights {
  weights: NamedTensors;
  notes: string[];
}

export interface FitOptions {
  /** Where the weights are from, for sentences. */
  where: string;
  /** Layers, with `*` for any letters, that stay as they are in the network, and are not missed in it. */
  skip: readonly string[];
  /** Whether a weight of the network is to be given; left out: every one. */
  needs?: (name: string) => boolean;
}

/**
 * A network's weights with given ones in their places, by name. Throws UserError with every weight that is missing, not
 * in the network or of another shape, unless its layer is skipped, and where a pattern of `skip` names no layer at all.
 * @param network its weights as they are
 */
export function fitWeights(
  network: NamedTensors,
  given: NamedTensors,
  { where, skip, needs = () => true }: FitOptions,
): FittedWeights {
  const patterns = skip.map((pattern) => ({ pattern, test: toRegExp(pattern) }));
  const isSkipped = (name: string) => patterns.some(({ test }) => test.test(layerOf(name)));
  const names = [...new Set([...network.keys(), ...given.keys()])];
  const idle = patterns.find(({ test }) => !names.some((name) => test.test(layerOf(name))));
  if (idle !== undefined) {
    throw new UserError(`Expected a layer for init.skip but ${JSON.stringify(idle.pattern)} names none.`);
  }
  const faults = names.flatMap((name) => (isSkipped(name) ? [] : findFault(name, network, given, needs)));
  if (faults.length > 0) throw new UserError(describeFaults(faults, where));
  const kept = names.filter((name) => isSkipped(name) && network.has(name));
  const left = names.filter((name) => isSkipped(name) && !network.has(name));
  const weights: NamedTensors = new Map(
    [...network].map(([name, value]) => [name, isSkipped(name) ? value : (given.get(name) ?? value)]),
  );
  const notes = [...listNote('kept as they begin (init.skip)', kept), ...listNote('not taken (init.skip)', left)];
  return { weights, notes };
}

/** A note that lists the layers of weights; none where there are no weights. */
export function listNote(what: string, weights: readonly string[]): string[] {
  if (weights.length === 0) return [];
  const layers = [...new Set(weights.map(layerOf))];
  return [`${weights.length} arrays ${what}: ${layers.join(', ')}`];
}

/** The layer of a weight, `<layer>/<weight>` in ours and Keras's words and `<module>.<weight>` in PyTorch's. */
export function layerOf(weight: string): string {
  const end = weight.includes('/') ? weight.lastIndexOf('/') : weight.lastIndexOf('.');
  return end < 0 ? weight : weight.slice(0, end);
}

function findFault(
  name: string,
  network: NamedTensors,
  given: NamedTensors,
  needs: (name: string) => boolean,
): { layer: string; sentence: string }[] {
  const [wanted, found] = [network.get(name), given.get(name)];
  const layer = layerOf(name);
  if (found === undefined) return needs(name) ? [{ layer, sentence: `${name}: missing` }] : [];
  if (wanted === undefined) return [{ layer, sentence: `${name}: not in this network` }];
  if (wanted.shape.join() === found.shape.join()) return [];
  return [{ layer, sentence: `${name}: shape [${found.shape}] where the network has [${wanted.shape}]` }];
}

function describeFaults(faults: readonly { layer: string; sentence: string }[], where: string): string {
  const layers = [...new Set(faults.map(({ layer }) => layer))];
  const lines = faults.map(({ sentence }) => `  ${sentence}`);
  return [
    `Expected weights that fit the network from ${where} but ${faults.length} of them do not:`,
    ...lines,
    `To start without them, name their ${layers.length} layers in init.skip (a list; * stands for any letters).`,
  ].join('\n');
}

function toRegExp(pattern: string): RegExp {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`);
}
