import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { Batch } from '../../src/data/batch.ts';
import { tf } from '../../src/engine/tf.ts';
import type { Optimizer } from '../../src/optim/optimizer.ts';
import { FIRST_LOSS_SCALE, type LossScale, nextLossScale } from '../../src/train/loss-scale.ts';
import { createStep, type StepOptions, type TrainStep } from '../../src/train/step.ts';
import { loadForTests } from '../engine/load-for-tests.ts';

before(loadForTests);

const SIDE = 4;
const afterMany = (start: LossScale, finite: boolean, updates: number) =>
  Array.from({ length: updates }).reduce<LossScale>((scale) => nextLossScale(scale, finite), start);

test('the loss scale is halved where a gradient overflowed, and never falls below 1', () => {
  assert.deepEqual(nextLossScale({ scale: 1024, good: 1500 }, false), { scale: 512, good: 0 });
  assert.deepEqual(afterMany(FIRST_LOSS_SCALE, false, 15), { scale: 1, good: 0 });
  assert.deepEqual(afterMany(FIRST_LOSS_SCALE, false, 40), { scale: 1, good: 0 });
});

test('it is doubled after 2,000 good updates in a row, up to 2²⁴', () => {
  assert.deepEqual(afterMany({ scale: 64, good: 0 }, true, 1999), { scale: 64, good: 1999 });
  assert.deepEqual(afterMany({ scale: 64, good: 0 }, true, 2000), { scale: 128, good: 0 });
  assert.deepEqual(afterMany({ scale: 2 ** 24, good: 0 }, true, 2000), { scale: 2 ** 24, good: 0 });
  const interrupted = nextLossScale(afterMany({ scale: 64, good: 0 }, true, 1999), false);
  assert.deepEqual(afterMany(interrupted, true, 1999), { scale: 32, good: 1999 }, 'in a row: an overflow starts anew');
});

/** w ← w − rate·gradient. */
const descent: Optimizer = {
  slots: [],
  rates: (lr) => [lr],
  step: (weight, gradient, _slots, [rate]) => weight.assign(weight.sub(gradient.mul(rate!))),
};

/** One weight, zero at first, times the image's grey level; the loss is `steepness` times the mean logit. */
function makeStep(steepness: number, options: Partial<StepOptions>): TrainStep {
  const input = tf.input({ shape: [SIDE, SIDE, 1] });
  const zero = tf.initializers.zeros();
  const layer = tf.layers.conv2d({ name: 'only', filters: 1, kernelSize: 1, useBias: false, kernelInitializer: zero });
  const model = tf.model({ inputs: input, outputs: layer.apply(input) as tf.SymbolicTensor });
  const defaults: StepOptions = {
    ...{ execution: 'graph', batchSize: 1, validationBatchSize: 1, resolution: SIDE, seed: 1 },
    ...{ accumulates: false, scalesLoss: true, rewrites: { train: [], predict: [] } },
  };
  const loss = (logits: tf.Tensor4D) => logits.mean().mul(steepness) as tf.Scalar;
  return createStep(model, loss, descent, { ...defaults, ...options });
}

/** Grey level 1 everywhere: the weight's gradient is the loss's steepness. */
const ONES: Batch = {
  ...{ ids: ['a'], count: 1, resolution: SIDE },
  ...{ images: new Uint8Array(SIDE ** 2).fill(1), masks: new Uint8Array(SIDE ** 2) },
};
const weightOf = (step: TrainStep) => step.readWeights().get('only/kernel')!.data[0]!;

for (const execution of ['graph', 'eager'] as const) {
  for (const skipped of [1, 3]) {
    test(`${execution}: updates whose gradient overflows are skipped until the scale fits, here ${skipped}`, () => {
      // float32 ends below 2¹²⁸: this times the scale's 2¹⁵ is above it until the scale has been halved so often.
      const steepness = 2 ** (128 - 15 + skipped - 0.5);
      const step = makeStep(steepness, { execution });
      for (let update = 0; update < skipped; update++) {
        step.update(ONES, 1 / steepness);
        assert.equal(weightOf(step), 0, `after ${update + 1} overflows`);
        assert.equal(step.readState().counters.updates, 0, 'a skipped update does not count');
      }
      step.update(ONES, 1 / steepness);
      assert.ok(Math.abs(weightOf(step) + 1) < 1e-5, `${weightOf(step)}, not −1`);
      step.update(ONES, 1 / steepness);
      assert.ok(Math.abs(weightOf(step) + 2) < 1e-5, `${weightOf(step)}, not −2: nothing is left of earlier gradients`);
      assert.equal(step.readState().counters.updates, 2);
      step.dispose();
    });
  }

  test(`${execution}: a scaled loss trains as the plain one does, also over several batches`, () => {
    const [scaled, plain] = [true, false].map((scalesLoss) => {
      const step = makeStep(3, { execution, scalesLoss, accumulates: true });
      step.update(ONES, 0.5);
      const losses = [step.accumulate(ONES), step.accumulate(ONES)];
      step.apply(0.5);
      const result = { losses, weight: weightOf(step) };
      step.dispose();
      return result;
    });
    // The first update takes the weight to −0.5·3, the loss to 3 times that; powers of two change no digit.
    assert.deepEqual(plain, { losses: [-4.5, -4.5], weight: -3 });
    assert.deepEqual(scaled, plain);
  });
}

test('one overflow among several batches skips their update', () => {
  const step = makeStep(2 ** 112.5, { accumulates: true });
  const dark: Batch = { ...ONES, images: new Uint8Array(SIDE ** 2) };
  step.accumulate(dark);
  step.accumulate({ ...ONES, images: new Uint8Array(SIDE ** 2).fill(8) });
  step.accumulate(dark);
  step.apply(1);
  assert.equal(weightOf(step), 0);
  assert.throws(() => step.apply(1), /received none/, 'what was gathered is gone');
  step.dispose();
});
