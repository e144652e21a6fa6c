import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { areaUnderRoc } from '../../src/metrics/auc.ts';

const scored = (positives: readonly number[], negatives: readonly number[]) => [
  ...positives.map((score) => ({ score, positive: true })),
  ...negatives.map((score) => ({ score, positive: false })),
];

/** By its definition: over all pairs of a positive and a negative. */
function byPairs(positives: readonly number[], negatives: readonly number[]): number {
  const wins = positives.flatMap((p) => negatives.map((n) => (p > n ? 1 : p === n ? 0.5 : 0)));
  return wins.reduce((sum: number, win) => sum + win, 0) / wins.length;
}

test('all positives above all negatives is 1, below 0, equal a half', () => {
  assert.equal(areaUnderRoc(scored([0.9, 0.8], [0.1, 0.7, 0.2])), 1);
  assert.equal(areaUnderRoc(scored([0.1], [0.7, 0.2])), 0);
  assert.equal(areaUnderRoc(scored([0.5, 0.5], [0.5])), 0.5);
});

test('it is the share of pairs in the right order, in any order of the images', () => {
  const rng = createRng(1, 'auc');
  for (let round = 0; round < 20; round++) {
    const draw = (count: number) => Array.from({ length: count }, () => rng.integer(0, 9) / 10);
    const [positives, negatives] = [draw(1 + rng.integer(0, 20)), draw(1 + rng.integer(0, 20))];
    const images = scored(positives, negatives);
    const wanted = byPairs(positives, negatives);
    assert.ok(Math.abs(areaUnderRoc(images) - wanted) < 1e-12);
    assert.ok(Math.abs(areaUnderRoc(images.reverse()) - wanted) < 1e-12);
  }
});

test('without one of the two kinds there is none', () => {
  assert.ok(Number.isNaN(areaUnderRoc(scored([0.5], []))));
  assert.ok(Number.isNaN(areaUnderRoc([])));
});
