import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleEpoch } from '../../src/data/sampler.ts';
import { indices } from './loader-fixture.ts';

test('a positive fraction is met, and every positive is seen before one comes again', () => {
  const isPositive = (index: number) => index < 10;
  const epoch = sampleEpoch(indices(100), isPositive, { config: { positive_fraction: 0.5 }, seed: 1, epoch: 3 });
  assert.equal(epoch.length, 100);
  const seen = indices(10).map((index) => epoch.filter((other) => other === index).length);
  assert.deepEqual(seen, Array(10).fill(50 / 10));
});
