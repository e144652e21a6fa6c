import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { bootstrapDifference, bootstrapMean, createBootstrap } from '../../src/metrics/bootstrap.ts';
import { drawTwoModels, TRUE_DIFFERENCE } from './two-models.ts';

test('of two models with a known difference the interval holds it in 93 to 97 % of 1,000 data sets', () => {
  let held = 0;
  for (let repetition = 0; repetition < 1000; repetition++) {
    const { first, second, patients } = drawTwoModels(400, 'quick', repetition);
    const { low, high } = bootstrapDifference(first, second, patients, { replicates: 400 });
    if (low <= TRUE_DIFFERENCE.all && TRUE_DIFFERENCE.all <= high) held++;
  }
  assert.ok(held >= 930 && held <= 970, `${held} of 1,000`);
});

test('the interval of a mean of independent scores is as wide as theory says', () => {
  const rng = createRng(1, 'width');
  const scores = Array.from({ length: 2000 }, () => rng.uniform());
  const { mean, low, high } = bootstrapMean(
    scores,
    scores.map((_, image) => image),
    { replicates: 5000 },
  );
  // 1.96 standard errors on both sides; a uniform number's deviation is 1/√12.
  const width = (2 * 1.96) / Math.sqrt(12 * 2000);
  assert.ok(Math.abs((high - low) / width - 1) < 0.06, `${high - low} for ${width}`);
  assert.ok(Math.abs((high + low) / 2 - mean) < 0.05 * width);
});

test('images of one patient count as what they are: ten equal ones tell no more than one', () => {
  const rng = createRng(2, 'patients');
  const scores = Array.from({ length: 200 }, () => rng.uniform());
  const patients = scores.map((_, image) => `patient ${image}`);
  const tenfold = scores.flatMap((score) => Array<number>(10).fill(score));
  const owners = patients.flatMap((patient) => Array<string>(10).fill(patient));
  const once = bootstrapMean(scores, patients);
  const repeated = bootstrapMean(tenfold, owners);
  for (const key of ['mean', 'low', 'high'] as const) assert.ok(Math.abs(once[key] - repeated[key]) < 1e-12, key);
  const blind = bootstrapMean(tenfold, [...tenfold.keys()]);
  assert.ok(blind.high - blind.low < 0.4 * (once.high - once.low), 'without patients it would look surer than it is');
});

test('a paired difference is signed, sure where every patient agrees and even where nothing differs', () => {
  const { first, patients } = drawTwoModels(100, 'sure');
  const better = first.map((score) => score + 0.1);
  const up = bootstrapDifference(first, better, patients);
  assert.ok(Math.abs(up.mean - 0.1) < 1e-12 && Math.abs(up.low - 0.1) < 1e-12 && Math.abs(up.high - 0.1) < 1e-12);
  assert.equal(up.probability, 1);
  assert.equal(bootstrapDifference(better, first, patients).probability, 0);
  assert.deepEqual(bootstrapDifference(first, first, patients), { mean: 0, low: 0, high: 0, probability: 0.5 });
});

test('of a part of the images only those count, and draws are the same for every part', () => {
  const { first, second, patients, positive } = drawTwoModels(300, 'parts');
  const bootstrap = createBootstrap(patients);
  const on = bootstrap.difference(first, second, positive);
  const off = bootstrap.difference(
    first,
    second,
    positive.map((mask) => !mask),
  );
  const share = positive.filter(Boolean).length / positive.length;
  const whole = bootstrap.difference(first, second);
  assert.ok(Math.abs(share * on.mean + (1 - share) * off.mean - whole.mean) < 1e-12);
  const changed = second.map((score, image) => (positive[image] ? score : 0.5));
  assert.deepEqual(bootstrap.difference(first, changed, positive), on);
  assert.deepEqual(whole, bootstrapDifference(first, second, patients));
});

test('one seed gives one result, another seed another', () => {
  const { first, second, patients } = drawTwoModels(100, 'seed');
  const draw = (seed: number) => bootstrapDifference(first, second, patients, { seed });
  assert.deepEqual(draw(1), draw(1));
  assert.notDeepEqual(draw(1), draw(2));
});

test('a single patient or no image has no interval, and lists of different lengths are refused', () => {
  assert.deepEqual(bootstrapMean([1, 0], [5, 5]), { mean: 0.5, low: Number.NaN, high: Number.NaN });
  assert.deepEqual(bootstrapMean([], []), { mean: Number.NaN, low: Number.NaN, high: Number.NaN });
  const alone = bootstrapDifference([0, 0], [1, 0], [5, 5]);
  assert.deepEqual(alone, { mean: 0.5, low: Number.NaN, high: Number.NaN, probability: Number.NaN });
  assert.throws(() => bootstrapMean([1, 0], [5]), /2 scores with 1 groups/);
  assert.throws(() => bootstrapDifference([1, 0], [1], [5, 5]), /2 scores beside 1/);
});
