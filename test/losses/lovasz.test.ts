import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { lossConfig } from '../../src/losses/index.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { runLoss } from './golden.ts';

before(loadForTests);

/** Value and gradient for images of one row each. */
function lovasz(config: object, logits: number[][], masks: number[][]) {
  const shape = [logits.length, 1, logits[0]!.length, 1];
  const inputs = { logits: logits.flat(), masks: masks.flat() };
  return runLoss(lossConfig.parse({ name: 'lovasz', ...config }), 'eager', shape, [inputs])[0]!;
}
const near = (actual: number, wanted: number) =>
  assert.ok(Math.abs(actual - wanted) < 1e-5, `${actual}, not ${wanted}`);

test('the Lovász hinge by hand', () => {
  // Errors 3, 1.5 (of the mask's pixels 1 and 2), 2 and 0: in order 3, 2, 1.5 with Jaccard losses 1/2, 2/3, 3/3.
  const { value, gradient } = lovasz({}, [[-2, 1, -0.5, -3]], [[1, 0, 1, 0]]);
  near(value, 3 / 2 + 2 * (2 / 3 - 1 / 2) + 1.5 * (1 - 2 / 3));
  for (const [i, slope] of [-1 / 2, 1 / 6, -1 / 3, 0].entries()) near(gradient[i]!, slope);
});

test('symmetric: the mean with that of the background', () => {
  const [logits, masks] = [[[-2, 1, -0.5, -3]], [[1, 0, 1, 0]]];
  const background = lovasz({}, [logits[0]!.map((x) => -x)], [masks[0]!.map((z) => 1 - z)]).value;
  near(lovasz({ symmetric: true }, logits, masks).value, (lovasz({}, logits, masks).value + background) / 2);
});

test('it is the Jaccard loss where every wrong logit is as wrong as a right one is right', () => {
  // At ±1 errors are 2 and 0; twice the Jaccard loss of 2 wrong ones out of a union of 4.
  near(lovasz({}, [[1, 1, -1, 1, -1]], [[1, 1, 1, 0, 0]]).value, 2 * (2 / 4));
});

/** Slope of the mean over images by one logit for all of them: of four images one has a mask. */
function slopeByConstant(config: object, at: number): number {
  const size = 100;
  const masks = [0, 1, 2, 3].map((image) => Array.from({ length: size }, (_, i) => Number(image === 0 && i < 3)));
  const of = (b: number) =>
    lovasz(
      config,
      masks.map((mask) => mask.map(() => b)),
      masks,
    ).value;
  return (of(at + 0.01) - of(at - 0.01)) / 0.02;
}

test('what collapses to empty masks, and what does not', () => {
  // An image with a mask pulls a constant logit up by 1, an empty one down by 1; at −½ both do.
  near(slopeByConstant({}, -0.5), (-1 + 3) / 4);
  near(slopeByConstant({ empty_weight: 0.3 }, -0.5), (-1 + 3 * 0.3) / 4);
  assert.ok(slopeByConstant({ empty_weight: 0.34 }, -0.5) > 0, 'above q/(1 − q) = 1/3 it collapses');
  assert.ok(slopeByConstant({ empty_weight: 0.33 }, -0.5) < 0, 'below, it does not');
  assert.ok(slopeByConstant({ symmetric: true }, -0.5) > slopeByConstant({}, -0.5), 'symmetric alone is no remedy');
  near(slopeByConstant({ per: 'batch' }, -0.5), -1);
});

test('what has no images to weigh takes no weight', () => {
  assert.throws(() => lossConfig.parse({ name: 'lovasz', per: 'batch', empty_weight: 0.5 }), /empty_weight/);
});

test('a logit that is no number is a loss that is none', () => {
  assert.ok(Number.isNaN(lovasz({}, [[0, Number.NaN, 1]], [[0, 1, 0]]).value));
});

test('equal errors in any order give the same, and large images sort as small ones', () => {
  const rng = createRng(3, 'lovasz');
  const logits = Array.from({ length: 5000 }, () => rng.integer(-20, 20) / 8);
  const masks = logits.map(() => Number(rng.uniform() < 0.1));
  const order = rng.shuffle(logits.map((_, i) => i));
  const shuffle = (values: number[]) => order.map((i) => values[i]!);
  near(lovasz({}, [shuffle(logits)], [shuffle(masks)]).value, lovasz({}, [logits], [masks]).value);
  near(lovasz({}, [logits], [masks]).value, sumOf(logits, masks));
});

/** The sum in float64, by JavaScript's own sort. */
function sumOf(logits: number[], masks: number[]): number {
  const pixels = logits.map((x, i) => ({ error: Math.max(0, 1 - x * (2 * masks[i]! - 1)), mask: masks[i]! }));
  pixels.sort((a, b) => b.error - a.error);
  let [total, union, before] = [0, masks.reduce((sum, mask) => sum + mask, 0), 0];
  pixels.forEach(({ error, mask }, i) => {
    if (mask === 0) union++;
    total += error * ((i + 1) / union - before);
    before = (i + 1) / union;
  });
  return total;
}
