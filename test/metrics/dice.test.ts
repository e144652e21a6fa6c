import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskToRuns, type Runs } from '../../src/core/rle.ts';
import { diceOfRuns, iouOfRuns, scoreImage, summariseScores } from '../../src/metrics/dice.ts';
import { sumOf } from '../../src/metrics/sum.ts';

const NONE = new Int32Array(0);

test('Dice is twice the overlap over both areas, IoU the overlap over the union', () => {
  const prediction = Int32Array.of(0, 6);
  const truth = Int32Array.of(4, 8);
  assert.equal(diceOfRuns(prediction, truth), (2 * 2) / (6 + 4));
  assert.equal(iouOfRuns(prediction, truth), 2 / (6 + 4 - 2));
});

test('both empty is 1, one empty is 0', () => {
  assert.equal(diceOfRuns(NONE, NONE), 1);
  assert.equal(iouOfRuns(NONE, NONE), 1);
  assert.equal(diceOfRuns(NONE, Int32Array.of(3, 4)), 0);
  assert.equal(iouOfRuns(Int32Array.of(3, 4), NONE), 0);
});

interface Golden {
  side: number;
  prediction: string;
  truth: string;
  dice: number;
  iou: number;
}

test('numpy agrees on random masks (test/golden/make-postprocess.py)', () => {
  const cases = JSON.parse(readFileSync(new URL('../golden/dice.json', import.meta.url), 'utf8')) as Golden[];
  assert.equal(cases.length, 6);
  for (const { side, prediction, truth, dice, iou } of cases) {
    const runsOf = (digits: string): Runs =>
      maskToRuns({ width: side, height: side, data: Uint8Array.from(digits, Number) });
    assert.equal(diceOfRuns(runsOf(prediction), runsOf(truth)), dice);
    assert.equal(iouOfRuns(runsOf(prediction), runsOf(truth)), iou);
  }
});

test('a summary is of means over images', () => {
  const summary = summariseScores([
    scoreImage('a', NONE, NONE),
    scoreImage('b', Int32Array.of(0, 5), NONE),
    scoreImage('c', Int32Array.of(0, 6), Int32Array.of(4, 8)),
    scoreImage('d', NONE, Int32Array.of(4, 8)),
  ]);
  assert.deepEqual(summary, {
    images: 4,
    positives: 2,
    dice: (1 + 0 + 0.4 + 0) / 4,
    dice_positive: (0.4 + 0) / 2,
    dice_empty: (1 + 0) / 2,
    iou: (1 + 0 + 0.25 + 0) / 4,
    dice_all_empty: 2 / 4,
  });
});

test('without positives, or without empty images, their mean is NaN rather than a number that looks like a score', () => {
  assert.ok(Number.isNaN(summariseScores([scoreImage('a', NONE, NONE)]).dice_positive));
  assert.ok(Number.isNaN(summariseScores([scoreImage('a', NONE, Int32Array.of(0, 1))]).dice_empty));
});

test('predicting nothing scores the share of empty images exactly, whatever the count', () => {
  const truth = Int32Array.of(10, 20);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 1000 }), (empty, positive) => {
      const scores = Array.from({ length: empty + positive }, (_, i) =>
        scoreImage('x', NONE, i < empty ? NONE : truth),
      );
      const summary = summariseScores(scores);
      assert.equal(summary.dice, empty / (empty + positive));
      assert.equal(summary.dice, summary.dice_all_empty);
    }),
    { numRuns: 30 },
  );
});

test('a sum does not depend on the order of its terms', () => {
  // Left to right, 1e16 swallows the ones: 0 instead of 2.
  assert.equal(sumOf([1, 1e16, 1, -1e16]), 2);
  const anyRatio = fc.tuple(fc.nat(1e6), fc.integer({ min: 1, max: 1e6 })).map(([a, b]) => Math.min(a, b) / b);
  fc.assert(
    fc.property(fc.array(anyRatio, { maxLength: 200 }), (values) => {
      const ascending = [...values].sort((a, b) => a - b);
      assert.equal(sumOf(values), sumOf(ascending));
      assert.equal(sumOf(values), sumOf(ascending.reverse()));
    }),
  );
});
