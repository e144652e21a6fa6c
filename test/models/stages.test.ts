import assert from 'node:assert/strict';
import { test } from 'node:test';
import { recomputedRegion, type Stage } from '../../src/models/stages.ts';

const PLACES: [layer: string, region: string | undefined, stage: Stage | undefined][] = [
  ['stem_conv', 'stem', 'stem'],
  ['block3b_expand_conv', 'block3b', 'block3'],
  ['decoder2_conv_a', 'decoder2', 'decoder2'],
  ['decoder2b_conv_a', 'decoder2b', 'decoder2'],
  ['middle_conv', 'middle', 'middle'],
  ['conv1', 'stem', 'stem'],
  ['maxpool.pad', 'stem', 'stem'],
  ['layer2.0.conv1', 'layer2.0', 'block2'],
  ['layer3.22.downsample.1', 'layer3.22', 'block3'],
  ['conv_stem', 'stem', 'stem'],
  ['bn1.act', 'stem', 'stem'],
  ['blocks.0.0.conv_dw', 'blocks.0.0', 'block1'],
  ['blocks.6.0.bn3', 'blocks.6.0', 'block7'],
  ['mask_logits', undefined, undefined],
  ['gray_to_rgb', undefined, undefined],
];
for (const [layer, region, stage] of PLACES) {
  test(`${layer} is ${stage === undefined ? 'never computed again' : `of ${stage}, and computed again with ${region}`}`, () => {
    assert.equal(recomputedRegion(true, layer), region);
    assert.equal(recomputedRegion(false, layer), undefined);
    if (stage !== undefined) assert.equal(recomputedRegion([stage], layer), region);
    assert.equal(recomputedRegion([stage === 'block4' ? 'block5' : 'block4'], layer), undefined);
  });
}
