import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { lossConfig } from '../../src/losses/index.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { checkGolden, golden } from './golden.ts';

before(loadForTests);

/** Of pixels: that of presence is bce's, of images. */
const names = lossConfig.options.map((option) => option.shape.name.value).filter((name) => name !== 'presence');

for (const name of names) {
  for (const execution of ['eager', 'graph'] as const) {
    test(`${name} is what another implementation makes of it, ${execution}`, () => checkGolden(name, execution));
  }
}

test('every configuration of the golden file is there for every case, and gradients for some', () => {
  for (const config of golden.configs) {
    const ours = golden.losses.filter((loss) => loss.config === config);
    assert.deepEqual(ours.map((loss) => loss.case).sort(), Object.keys(golden.cases).sort());
    assert.equal(ours.filter(({ gradient }) => gradient !== undefined).length, 4);
  }
});
