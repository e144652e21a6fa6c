import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bootstrapDifference, bootstrapMean, createBootstrap } from '../../src/metrics/bootstrap.ts';
import { drawTwoModels, TRUE_DIFFERENCE, type TwoModels } from './two-models.ts';

const REPETITIONS = 1000;

const PARTS = {
  all: () => undefined,
  positives: ({ positive }: TwoModels) => positive,
  empties: ({ positive }: TwoModels) => positive.map((mask) => !mask),
};

// Some 1,270 images, as many as stage 1's test set and a hold-out of 10 % have.
for (const part of ['all', 'positives', 'empties'] as const) {
  test(`1,000 data sets of 700 patients, ${part}: the paired interval holds the true difference in 93 to 97 %`, (t) => {
    let held = 0;
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const models = drawTwoModels(700, repetition);
      const { low, high } = createBootstrap(models.patients).difference(
        models.first,
        models.second,
        PARTS[part](models),
      );
      if (low <= TRUE_DIFFERENCE[part] && TRUE_DIFFERENCE[part] <= high) held++;
    }
    t.diagnostic(`${held} of ${REPETITIONS}`);
    assert.ok(held >= 0.93 * REPETITIONS && held <= 0.97 * REPETITIONS, `${held} of ${REPETITIONS}`);
  });
}

test('where both are equally good, 2.5 % of probabilities are below 0.025 and as many above 0.975', (t) => {
  let [below, above] = [0, 0];
  for (let repetition = 0; repetition < REPETITIONS; repetition++) {
    const one = drawTwoModels(700, 'equal', repetition);
    // Which of the two an image's scores belong to is drawn by turns, so neither is better.
    const first = one.first.map((score, image) => (one.patients[image]! % 2 === 0 ? score : one.second[image]!));
    const second = one.second.map((score, image) => (one.patients[image]! % 2 === 0 ? score : one.first[image]!));
    const { probability } = bootstrapDifference(first, second, one.patients);
    if (probability < 0.025) below++;
    if (probability > 0.975) above++;
  }
  t.diagnostic(`${below} below, ${above} above`);
  assert.ok(below + above >= 30 && below + above <= 70, `${below} below, ${above} above`);
});

test('the interval of one model’s mean holds the true one in 93 to 97 %, of 100 patients too', (t) => {
  const truth = 0.22375 * 0.85 * 0.55 + (1 - 0.22375) * 0.94;
  for (const patients of [100, 700]) {
    let held = 0;
    for (let repetition = 0; repetition < REPETITIONS; repetition++) {
      const models = drawTwoModels(patients, 'mean', repetition);
      const { low, high } = bootstrapMean(models.first, models.patients);
      if (low <= truth && truth <= high) held++;
    }
    t.diagnostic(`${patients} patients: ${held} of ${REPETITIONS}`);
    assert.ok(held >= 0.93 * REPETITIONS && held <= 0.97 * REPETITIONS, `${patients}: ${held} of ${REPETITIONS}`);
  }
});
