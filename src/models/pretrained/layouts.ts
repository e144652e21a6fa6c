import type { NamedTensors } from '../../core/safetensors.ts';
import type { EncoderName } from '../encoders/names.ts';
import { IMAGENET, type InputStatistics, inputStatistics } from '../encoders/statistics.ts';
import { nameInEfficientNetPytorch, nameInTimm } from './efficientnet-names.ts';
import type { PublishedWeights } from './read-file.ts';

/** How a package names an encoder's layers, what else is in its files, and what it normalizes pictures by. */
export interface Layout {
  /** Whose names they are. */
  title: string;
  /** The package's name of a layer of ours; `layers` are all of the encoder's that have weights. */
  nameOf(layer: string, layers: readonly string[]): string;
  /** Layers, by the package's names, that come after the encoder: what makes classes of its features. */
  classifier: RegExp;
  statistics(encoder: EncoderName, arrays: NamedTensors): InputStatistics;
}

const KERAS: Layout = {
  title: 'Keras applications',
  nameOf: (layer) => layer,
  classifier: /^(top_conv|top_bn|predictions|probs|dense(_\d+)?)$/,
  statistics: (encoder, arrays) => readNormalization(arrays) ?? inputStatistics(encoder),
};
const TIMM: Layout = {
  title: 'timm',
  nameOf: nameInTimm,
  classifier: /^(conv_head|bn2|classifier)$/,
  statistics: inputStatistics,
};
const EFFICIENTNET_PYTORCH: Layout = {
  title: 'efficientnet-pytorch',
  nameOf: nameInEfficientNetPytorch,
  classifier: /^(_conv_head|_bn1|_fc)$/,
  // The Lite networks' package says so in its examples; (x − 127)/128 is what TensorFlow's authors trained with.
  statistics: (encoder) => (encoder.startsWith('efficientnet-lite') ? LITE : IMAGENET),
};
const LITE: InputStatistics = { mean: [0.498, 0.498, 0.498], std: [0.502, 0.502, 0.502] };
const TORCHVISION: Layout = {
  title: 'torchvision or timm',
  nameOf: (layer) => layer,
  classifier: /^fc$/,
  statistics: inputStatistics,
};

/** The layouts that an encoder's weights are published in, each with an array that all of its files have. */
function layoutsOf(encoder: EncoderName): [sign: RegExp, layout: Layout][] {
  if (!encoder.startsWith('efficientnet')) return [[/^conv1\.weight$/, TORCHVISION]];
  const torch: [RegExp, Layout][] = [
    [/^conv_stem\.weight$/, TIMM],
    [/^_conv_stem\.weight$/, EFFICIENTNET_PYTORCH],
  ];
  return encoder.startsWith('efficientnet-lite') ? torch : [[/^stem_conv\/(kernel|0)$/, KERAS], ...torch];
}

/** The layout of a file, and the titles of those that it could have; undefined where it has none of them. */
export function findLayout(encoder: EncoderName, { arrays }: PublishedWeights) {
  const layouts = layoutsOf(encoder);
  const names = [...arrays.keys()];
  const [, found] = layouts.find(([sign]) => names.some((name) => sign.test(name))) ?? [];
  return { layout: found, titles: layouts.map(([, { title }]) => title) };
}

/**
 * What a model of Keras normalizes by, from its own layer of normalization. Keras's published EfficientNets hold standard
 * deviations in place of variances, and divide by their roots once more after the layer (keras issue 49930 of TensorFlow).
 */
function readNormalization(arrays: NamedTensors): InputStatistics | undefined {
  const find = (parts: string) =>
    [...arrays].find(([name]) => new RegExp(`^normalization(_\\d+)?/(${parts})$`).test(name));
  const mean = find('mean|0')?.[1].data;
  const variance = find('variance|1')?.[1].data;
  if (mean?.length !== 3 || variance?.length !== 3) return undefined;
  const published = variance.every((value, channel) => Math.abs(value - IMAGENET.std[channel]!) < 1e-3);
  return { mean: Array.from(mean), std: Array.from(variance, (value) => (published ? value : Math.sqrt(value))) };
}
