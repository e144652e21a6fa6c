import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { NamedTensors } from '../../src/core/safetensors.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { makeBatch, makeStep } from '../engine/steps-for-tests.ts';
import { buildSmall } from './small-networks.ts';
import { checkTraining } from './training-contract.ts';

before(loadForTests);

const build = (norm: 'batch' | 'group') => buildSmall('unet', { encoderFrozen: true, norm });

const isOfEncoder = (name: string) => !name.startsWith('decoder');
const isStatistic = (name: string) => /\/moving_(mean|variance)$/.test(name);

/** The names of the weights that are not as they were, by what they are. */
function changed(before: NamedTensors, after: NamedTensors) {
  const names = [...before].filter(([name, { data }]) => after.get(name)!.data.some((value, i) => value !== data[i]));
  return names.map(([name]) => name);
}

for (const norm of ['batch', 'group'] as const) {
  test(`an encoder's frozen statistics stay, through training and refreshing, and gamma and beta train; ${norm} norm`, () => {
    for (const execution of ['graph', 'eager'] as const) {
      const step = makeStep(build(norm), { execution });
      const weights = step.readWeights();
      for (const [name, { data }] of weights) if (/block\d_bn\/moving_mean$/.test(name)) data.fill(0.25);
      step.writeWeights(weights);
      const begun = structuredClone(step.readWeights());
      step.update(makeBatch(0), 1e-3);
      const trained = structuredClone(step.readWeights());
      const moved = changed(begun, trained);
      assert.deepEqual(moved.filter(isStatistic).filter(isOfEncoder), []);
      assert.equal(moved.some(isStatistic), norm === 'batch', 'those of the decoder move');
      const parameters = [...begun.keys()].filter((name) => /\/(gamma|beta)$/.test(name));
      assert.deepEqual(
        parameters.filter((name) => !moved.includes(name)),
        [],
      );
      step.refreshBatchNorm(makeBatch(1), 0);
      const refreshed = changed(trained, step.readWeights());
      assert.deepEqual(
        refreshed.filter((name) => isOfEncoder(name) || !isStatistic(name)),
        [],
      );
      assert.equal(refreshed.length > 0, norm === 'batch', 'those of the decoder are refreshed');
      step.dispose();
    }
  });
}

test('a network with a frozen encoder keeps the contract', () => {
  checkTraining(() => build('group'), 'a frozen encoder');
});
