import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { DECODERS } from '../../src/models/decoders/choices.ts';
import { groupsOf } from '../../src/models/decoders/norm.ts';
import { recomputedRegion } from '../../src/models/stages.ts';
import { namedVariables } from '../../src/models/weights.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { SIDE } from '../engine/steps-for-tests.ts';
import { buildSmall, CHOICES } from './small-networks.ts';
import { checkTraining } from './training-contract.ts';

before(loadForTests);

for (const decoder of DECODERS) {
  test(`${decoder} keeps the contract`, () => {
    const model = buildSmall(decoder, {});
    assert.deepEqual(model.outputShape, [null, SIDE, SIDE, 1]);
    model.dispose();
    checkTraining(() => buildSmall(decoder, {}), decoder);
  });

  test(`every layer of ${decoder} belongs to a stage that can be computed again`, () => {
    for (const upsample of ['nearest', 'transposed'] as const) {
      const model = buildSmall(decoder, { upsample, attention: 'scse', norm: 'group' });
      const names = model.layers.map(({ name }) => name).filter((name) => recomputedRegion(true, name) === undefined);
      assert.deepEqual(
        names.filter((name) => !/^(input|gray_to_rgb|decoder_dropout|mask_logits)/.test(name)),
        [],
      );
      model.dispose();
    }
  });

  test(`${decoder} has the same weights at every resolution, whatever was chosen`, () => {
    for (const choices of [{}, ...Object.values(CHOICES)]) {
      const [small, large] = [64, 96].map((side) => {
        const model = buildSmall(decoder, choices, side);
        const weights = namedVariables(model).map(({ name, variable }) => `${name} ${variable.shape}`);
        model.dispose();
        return weights;
      });
      assert.deepEqual(large, small);
      assert.equal(new Set(small!.map((weight) => weight.split(' ')[0])).size, small!.length, 'names differ');
    }
  });
}

test('groups have equal sizes of at least four channels, and there are at most 32 of them', () => {
  const wanted: [channels: number, groups: number][] = [
    [256, 32],
    [128, 32],
    [64, 16],
    [8, 2],
    [2, 1],
    [56, 14],
    [160, 32],
    [272, 17],
  ];
  assert.deepEqual(
    wanted.map(([channels]) => [channels, groupsOf(channels)]),
    wanted,
  );
});
