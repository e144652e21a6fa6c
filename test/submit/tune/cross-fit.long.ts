import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanOf, tuneOnChance } from './biased-sample.ts';

test('the cross-fitted figure is true where the naive one flatters, gates among the steps: 50 repetitions', async () => {
  const results = await tuneOnChance({ repetitions: 50, images: 1000, newImages: 4000, gated: true });
  const bias = (figure: 'naive' | 'honest') => meanOf(results.map((each) => each[figure] - each.truth));
  assert.ok(Math.abs(bias('honest')) < 0.002, `honest ${bias('honest')}`);
  assert.ok(bias('naive') > 0.01, `naive ${bias('naive')}`);
});
