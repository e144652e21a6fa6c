/** The parts of a network whose results can be computed again rather than kept (`model.recompute`), in its order. */
export const STAGES = [
  'stem',
  ...(['block1', 'block2', 'block3', 'block4', 'block5', 'block6', 'block7'] as const),
  'middle',
  ...(['decoder1', 'decoder2', 'decoder3', 'decoder4', 'decoder5'] as const),
] as const;
export type Stage = (typeof STAGES)[number];

/**
 * The region of a layer: its block of the encoder (`block3b`), what lies between encoder and decoder (`middle`)
 * or its part of a level of the decoder (`decoder2`, `decoder2b`), of which
 * `model.recompute` keeps only the results that others need; undefined where the layer's stage keeps everything.
 * @param recompute true: every stage
 */
export function recomputedRegion(recompute: boolean | readonly Stage[], layer: string): string | undefined {
  const [, region, stage] = /^((stem|block\d|middle|decoder\d)[a-z]?)_/.exec(layer) ?? placeInTorch(layer);
  if (stage === undefined || recompute === false) return undefined;
  return recompute === true || recompute.includes(stage as Stage) ? region : undefined;
}

/** The same of layers named as in PyTorch: `layer2.0.conv1` (ResNet) and `blocks.1.0.conv_dw` (Lite) are of block2. */
function placeInTorch(layer: string): [layer: string, region: string, stage: string] | [] {
  if (/^(conv1|conv_stem|bn1|act1|maxpool)\b/.test(layer)) return [layer, 'stem', 'stem'];
  const [, region, family, index] = /^((layer|blocks\.)(\d)\.\d+)\./.exec(layer) ?? [];
  if (region === undefined) return [];
  return [layer, region, `block${Number(index) + (family === 'layer' ? 0 : 1)}`];
}
