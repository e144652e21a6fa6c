import assert from 'node:assert/strict';
import type { tf } from '../../src/engine/tf.ts';
import { createPredictor } from '../../src/predict/compile-predictor.ts';
import type { StepOptions, TrainStep } from '../../src/train/step.ts';
import { assertWithin } from '../engine/compare.ts';
import { makeBatch, makeStep, SIDE } from '../engine/steps-for-tests.ts';

const LR = 1e-5;
const UPDATES = [0, 1, 2];

/**
 * What every network must do: train compiled as it does kernel by kernel, with a gradient for each of its weights, and
 * predict with its batch norms folded what it predicts in validation.
 */
export function checkTraining(build: () => tf.LayersModel, what: string): void {
  const [graph, eager] = (['graph', 'eager'] as const).map((execution) => train(build, { execution }));
  assertWithin(1e-5, graph!.losses.slice(0, 1), eager!.losses.slice(0, 1), `the first loss of ${what}`);
  assertWithin(1e-4, graph!.losses, eager!.losses, `losses of ${what}`);
  checkGradients(graph!.step);
  checkPrediction(graph!.step, build);
  graph!.step.dispose();
  eager!.step.dispose();
}

function train(build: () => tf.LayersModel, options: Partial<StepOptions>): { step: TrainStep; losses: number[] } {
  const step = makeStep(build(), options);
  return { step, losses: UPDATES.map((update) => step.update(makeBatch(update), LR)) };
}

/** Without a gradient to speak of: biases that a batch norm takes away again, and what is behind a relu of one unit. */
const MAY_BE_ZERO = /\/bias\/m$|scse_(\w+_)?(reduce|expand)/;

/** Fails where a weight had no gradient at the updates so far, or none of numbers; Adam's first moments are their means. */
export function checkGradients(step: TrainStep): void {
  const moments = [...step.readState().arrays].filter(([name]) => name.endsWith('/m'));
  assert.ok(moments.length > 0);
  for (const [name, { data }] of moments) {
    assert.ok(data.every(Number.isFinite), `the gradient of ${name} is finite`);
    if (!MAY_BE_ZERO.test(name))
      assert.ok(
        data.some((value) => value !== 0),
        `${name} has a gradient`,
      );
  }
}

function checkPrediction(step: TrainStep, build: () => tf.LayersModel): void {
  const batch = makeBatch(7);
  const { probabilities } = step.evaluate(batch);
  const options = { batchSize: batch.count, resolution: SIDE, tta: ['none'] as const };
  const predictor = createPredictor(() => build(), step.readWeights(), options, 'the test');
  const found = predictor.predict(batch).probabilities;
  const worst = found.reduce((most, p, i) => Math.max(most, Math.abs(p - probabilities[i]!)), 0);
  assert.ok(worst <= 1e-4, `probabilities differ by ${worst}`);
  predictor.dispose();
}
