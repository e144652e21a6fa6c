import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWeightAverage } from '../../src/train/weight-average.ts';

const weights = (...data: number[]) => new Map([['w', { shape: [data.length], data: Float32Array.from(data) }]]);

test('the mean of what was added, which stays as it is', () => {
  const average = createWeightAverage();
  const first = weights(1, 2);
  average.add(first);
  average.add(weights(3, 8));
  average.add(weights(5, -4));
  assert.equal(average.count(), 3);
  assert.deepEqual(average.mean(), weights((1 + 3 + 5) / 3, (2 + 8 - 4) / 3));
  assert.deepEqual(first, weights(1, 2));
});

test('nothing has no mean', () => {
  assert.throws(() => createWeightAverage().mean(), /received none/);
});
