import assert from 'node:assert/strict';
import { test } from 'node:test';
import { meanProbability } from '../../src/postprocess/mean-probability.ts';
import { thresholdMap } from '../../src/postprocess/threshold-map.ts';

const map = (bytes: number[], weight: number) => ({ probabilities: Uint8Array.from(bytes), resolution: 2, weight });
const members = [map([0, 51, 204, 255], 1), map([0, 204, 204, 102], 3)];

test('logits: by hand, and one that is sure counts more than in the mean of probabilities', () => {
  // 51/255 = 0.2 and 204/255 = 0.8 are odds of 1/4 and 4: weighted 1 : 3 the odds are 4^(-1/4) · 4^(3/4) = 2.
  const [nothing, second, third, fourth] = meanProbability(members, 2, 'logits');
  assert.ok(Math.abs(second! - 2 / 3) < 1e-12, `${second}`);
  assert.ok(Math.abs(third! - 0.8) < 1e-12);
  assert.ok(nothing! > 0 && nothing! < 0.001);
  const plain = meanProbability(members, 2)[3]!;
  assert.ok(plain < 0.56 && fourth! > 0.75, `${fourth} where the mean of probabilities is ${plain}`);
});

test('vote: the weighted share of members above a half', () => {
  assert.deepEqual([...meanProbability(members, 2, 'vote')], [0, 0.75, 1, 0.25]);
  assert.deepEqual([...thresholdMap(members, 0.5, 2, 'vote').data], [0, 1, 1, 0]);
  assert.deepEqual([...thresholdMap(members, 0.2, 2, 'vote').data], [0, 1, 1, 1]);
});

test('one member stands for itself, whatever is averaged', () => {
  for (const average of ['probabilities', 'logits', 'vote'] as const) {
    assert.deepEqual([...thresholdMap([members[0]!], 0.3, 2, average).data], [0, 0, 1, 1]);
    assert.deepEqual(meanProbability([members[0]!], 2, average), meanProbability([members[0]!], 2));
  }
});
