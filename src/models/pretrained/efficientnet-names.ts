import { expected } from '../../core/errors.ts';

/** What a layer of EfficientNet is for, by Keras's names within a block. */
const PARTS = [
  'expand_conv',
  'expand_bn',
  'dwconv',
  'bn',
  'se_reduce',
  'se_expand',
  'project_conv',
  'project_bn',
] as const;
type Part = (typeof PARTS)[number];
type StemPart = 'stem_conv' | 'stem_bn';
type Names<P extends string> = Readonly<Record<P, string>>;

/** Where a layer stands: in the stem, or in a block, which is the `repeat`-th of its stage, both from 0. */
type Place = { part: StemPart } | { part: Part; stage: number; repeat: number };

const TIMM_STEM: Names<StemPart> = { stem_conv: 'conv_stem', stem_bn: 'bn1' };
const TIMM_GATE = { se_reduce: 'se.conv_reduce', se_expand: 'se.conv_expand' };
const TIMM: Names<Part> = {
  ...{ expand_conv: 'conv_pw', expand_bn: 'bn1', dwconv: 'conv_dw', bn: 'bn2' },
  ...{ ...TIMM_GATE, project_conv: 'conv_pwl', project_bn: 'bn3' },
};
/** Blocks of the first stage expand nothing, and timm counts what is there. */
const TIMM_FIRST: Names<Part> = {
  ...{ expand_conv: '', expand_bn: '', dwconv: 'conv_dw', bn: 'bn1' },
  ...{ ...TIMM_GATE, project_conv: 'conv_pw', project_bn: 'bn2' },
};
const PYTORCH_STEM: Names<StemPart> = { stem_conv: '_conv_stem', stem_bn: '_bn0' };
const PYTORCH: Names<Part> = {
  ...{ expand_conv: '_expand_conv', expand_bn: '_bn0', dwconv: '_depthwise_conv', bn: '_bn1' },
  ...{ se_reduce: '_se_reduce', se_expand: '_se_expand', project_conv: '_project_conv', project_bn: '_bn2' },
};

/** timm's name of a layer of ours (`tf_efficientnet_b4`, `tf_efficientnet_lite0`): `blocks.1.0.conv_dw`. */
export function nameInTimm(layer: string): string {
  const place = placeOf(layer);
  if (!('stage' in place)) return TIMM_STEM[place.part];
  const { part, stage, repeat } = place;
  return `blocks.${stage}.${repeat}.${(stage === 0 ? TIMM_FIRST : TIMM)[part]}`;
}

/**
 * The name of a layer of ours in the packages efficientnet-pytorch and efficientnet-lite-pytorch, which count blocks
 * through: `_blocks.1._depthwise_conv`.
 * @param layers all of the encoder's that have weights, in their order
 */
export function nameInEfficientNetPytorch(layer: string, layers: readonly string[]): string {
  const place = placeOf(layer);
  if (!('stage' in place)) return PYTORCH_STEM[place.part];
  const blocks = [...new Set(layers.flatMap((other) => blockOf(placeOf(other))))];
  return `_blocks.${blocks.indexOf(blockOf(place)[0]!)}.${PYTORCH[place.part]}`;
}

function blockOf(place: Place): string[] {
  return 'stage' in place ? [`${place.stage}.${place.repeat}`] : [];
}

/** The place of a layer by our name of it: Keras's for B0 to B7, timm's for Lite. */
function placeOf(layer: string): Place {
  const stems: Record<string, StemPart> = {
    stem_conv: 'stem_conv',
    stem_bn: 'stem_bn',
    conv_stem: 'stem_conv',
    bn1: 'stem_bn',
  };
  const stem = stems[layer];
  if (stem !== undefined) return { part: stem };
  const keras = /^block(\d)([a-z])_(.+)$/.exec(layer);
  const timm = /^blocks\.(\d)\.(\d+)\.(.+)$/.exec(layer);
  const [stage, repeat] =
    keras === null
      ? [Number(timm?.[1]), Number(timm?.[2])]
      : [Number(keras[1]) - 1, keras[2]!.charCodeAt(0) - 'a'.charCodeAt(0)];
  const name = (keras ?? timm)?.[3];
  const part = PARTS.find(
    (candidate) => name === (keras === null ? (stage === 0 ? TIMM_FIRST : TIMM)[candidate] : candidate),
  );
  if (part === undefined) throw new Error(expected('a layer of EfficientNet', 'its place', layer));
  return { part, stage, repeat };
}
