import { expected, UserError } from '../../core/errors.ts';
import type { NamedTensors } from '../../core/safetensors.ts';
import { tf } from '../../engine/tf.ts';
import { isEncoderLayer } from '../encoder-layers.ts';
import { buildEncoder } from '../encoders/index.ts';
import type { EncoderName } from '../encoders/names.ts';
import { GRAY_TO_RGB, normalizationWeights } from '../gray-to-rgb.ts';
import { readWeights } from '../weights.ts';
import { type FittedWeights, fitWeights, layerOf, listNote } from './fit-weights.ts';
import { findLayout, type Layout } from './layouts.ts';
import type { PublishedWeights } from './read-file.ts';

/** PyTorch's words for weights, by Keras's. */
const TORCH_WORDS: Readonly<Record<string, string>> = {
  ...{ kernel: 'weight', depthwise_kernel: 'weight', gamma: 'weight', beta: 'bias', bias: 'bias' },
  ...{ moving_mean: 'running_mean', moving_variance: 'running_var' },
};
/** Batches that a normalization has seen, and Keras's layer of input statistics: no weights of a convolution network. */
const COUNTERS = /\.num_batches_tracked$|^normalization(_\d+)?\/(count|2)$/;
const INPUT_STATISTICS = /^normalization(_\d+)?\/(mean|variance|0|1)$/;
/** Any side does: a network's weights do not depend on it. */
const SIDE = 32;

/**
 * The weights of a network whose encoder begins with published ones, layouts brought into Keras's, and its input
 * statistics with theirs; the rest stays as it is. Throws UserError where the file is of another encoder, and with every
 * array that is missing, left over or of another shape, unless `skip` names its layer.
 * @param network its weights as they are
 * @param where the file, for sentences
 */
export function loadEncoder(
  encoder: EncoderName,
  network: NamedTensors,
  published: PublishedWeights,
  { where, skip }: { where: string; skip: readonly string[] },
): FittedWeights {
  const { layout, titles } = findLayout(encoder, published);
  if (layout === undefined) {
    const next = `It begins with ${[...published.arrays.keys()].slice(0, 3).join(', ')}.`;
    throw new UserError(expected(`${encoder}'s weights as ${titles.join(' or ')} name them`, where, 'others', next));
  }
  const translated = translate(network, published, layout);
  const { mean, std } = layout.statistics(encoder, published.arrays);
  const statistics = normalizationWeights(mean, std);
  // A decoder may take the encoder's features before its end: then the file is held against the whole encoder.
  const whole = translated.unknown.length === 0 ? network : withWhole(encoder, network);
  const { given, unknown, left } = translated.unknown.length === 0 ? translated : translate(whole, published, layout);
  for (const name of unknown) given.set(name, published.arrays.get(name)!);
  for (const [name, value] of statistics) given.set(name, value);
  const fitted = fitWeights(whole, given, { where, skip, needs: isEncoderLayer });
  const beyond = [...given.keys()].filter((name) => whole.has(name) && !network.has(name));
  const rounded = mean.map((value, channel) => `${round(value)} ± ${round(std[channel]!)}`);
  return {
    weights: new Map([...network.keys()].map((name) => [name, fitted.weights.get(name)!])),
    notes: [
      `encoder      ${given.size - statistics.size - beyond.length} arrays from ${where}, as ${layout.title} has them`,
      `input        normalized by ${rounded.join(', ')} (red, green, blue)`,
      ...listNote('of the classifier not taken', left.classifier),
      ...listNote('beyond the encoder’s end not taken', beyond),
      ...(left.counters.length > 0 ? [`${left.counters.length} counters of batches not taken`] : []),
      ...fitted.notes,
    ],
  };
}

interface Translated {
  /** By our names and in our layouts. */
  given: NamedTensors;
  /** Names of published arrays that no layer of the network has. */
  unknown: string[];
  left: { classifier: string[]; counters: string[] };
}

function translate(network: NamedTensors, { origin, arrays }: PublishedWeights, layout: Layout): Translated {
  const names = [...network.keys()].filter((name) => isEncoderLayer(name) && layerOf(name) !== GRAY_TO_RGB);
  const layers = [...new Set(names.map(layerOf))];
  const given: NamedTensors = new Map();
  const taken = new Set<string>();
  const places = new Map<string, number>();
  for (const name of names) {
    const layer = layerOf(name);
    const place = places.get(layer) ?? 0;
    places.set(layer, place + 1);
    const word = name.slice(layer.length + 1);
    const module = layout.nameOf(layer, layers);
    const candidates = origin === 'torch' ? [`${module}.${TORCH_WORDS[word]}`] : kerasNames(module, word, place);
    const found = candidates.find((candidate) => arrays.has(candidate));
    if (found === undefined) continue;
    taken.add(found);
    const array = arrays.get(found)!;
    given.set(name, origin === 'torch' ? fromTorch(array, word) : array);
  }
  const rest = [...arrays.keys()].filter((name) => !taken.has(name) && !INPUT_STATISTICS.test(name));
  const counters = rest.filter((name) => COUNTERS.test(name));
  const classifier = rest.filter((name) => !COUNTERS.test(name) && layout.classifier.test(layerOf(name)));
  const known = new Set([...counters, ...classifier]);
  return { given, unknown: rest.filter((name) => !known.has(name)), left: { classifier, counters } };
}

/** Keras 3 calls every kernel a kernel, and some of its files know a weight by its place in the layer alone. */
function kerasNames(layer: string, word: string, place: number): string[] {
  return [`${layer}/${word}`, `${layer}/${word.replace('depthwise_', '')}`, `${layer}/${place}`];
}

/** A convolution's [K,C,k,k] as [k,k,C,K], a depthwise one's [C,1,k,k] as [k,k,C,1]; vectors stay. */
function fromTorch(array: { shape: number[]; data: Float32Array }, word: string) {
  if (array.shape.length !== 4) return array;
  const [first, second, height, width] = array.shape as [number, number, number, number];
  const depthwise = word === 'depthwise_kernel';
  const [inputs, outputs] = depthwise ? [first, second] : [second, first];
  const data = new Float32Array(array.data.length);
  let at = 0;
  for (let a = 0; a < first; a++) {
    for (let b = 0; b < second; b++) {
      const [input, output] = depthwise ? [a, b] : [b, a];
      for (let tap = 0; tap < height * width; tap++)
        data[(tap * inputs + input) * outputs + output] = array.data[at++]!;
    }
  }
  return { shape: [height, width, inputs, outputs], data };
}

/** A network's weights together with those of the whole encoder that it has not. */
function withWhole(encoder: EncoderName, network: NamedTensors): NamedTensors {
  const rgb = tf.input({ shape: [SIDE, SIDE, 3] });
  const outputs = buildEncoder(encoder, rgb, { seed: 0, normMomentum: 0.99, dropConnect: 0 });
  const model = tf.model({ inputs: rgb, outputs });
  const weights = readWeights(model);
  model.dispose();
  const rest = [...weights].filter(([name]) => !network.has(name));
  const ofEncoder = [...network].filter(([name]) => isEncoderLayer(name));
  const others = [...network].filter(([name]) => !isEncoderLayer(name));
  return new Map([...ofEncoder, ...rest, ...others]);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
