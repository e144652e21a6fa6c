import assert from 'node:assert/strict';
import { test } from 'node:test';
import { rankCorrelation, ranksOf } from '../../src/metrics/rank-correlation.ts';

test('equal values share the mean of their ranks', () => {
  assert.deepEqual(ranksOf([0.5, 0.1, 0.5, 0.9]), [2.5, 1, 2.5, 4]);
});

test('the order alone counts: 1 for the same, -1 for the reverse', () => {
  assert.equal(rankCorrelation([1, 2, 3, 4], [0.1, 0.2, 5, 100]), 1);
  assert.equal(rankCorrelation([1, 2, 3, 4], [4, 3, 2, 1]), -1);
});

test('it is 1 - 6·Σd²/(n³ - n) where no values are equal', () => {
  const [first, second] = [
    [106, 100, 86, 101, 99, 103, 97, 113, 112, 110],
    [7, 27, 2, 50, 28, 29, 20, 12, 6, 17],
  ];
  const [a, b] = [ranksOf(first), ranksOf(second)];
  const squares = a.reduce((sum, rank, i) => sum + (rank - b[i]!) ** 2, 0);
  assert.ok(Math.abs(rankCorrelation(first, second) - (1 - (6 * squares) / 990)) < 1e-12);
});

test('of fewer than three pairs, and of values that are all equal, there is none', () => {
  assert.ok(Number.isNaN(rankCorrelation([1, 2], [1, 2])));
  assert.ok(Number.isNaN(rankCorrelation([1, 1, 1], [1, 2, 3])));
  assert.throws(() => rankCorrelation([1, 2, 3], [1, 2]), /3 values beside 2/);
});
