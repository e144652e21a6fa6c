import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { tf } from '../../src/engine/tf.ts';
import type { Loss } from '../../src/losses/index.ts';
import { findCheckpoint, readCheckpoint } from '../../src/models/checkpoint.ts';
import { modelConfig } from '../../src/models/config.ts';
import { buildModel } from '../../src/models/index.ts';
import { readWeights } from '../../src/models/weights.ts';
import { buildOptimizer } from '../../src/optim/index.ts';
import { readJournal } from '../../src/tracking/journal.ts';
import { findNonFiniteLayer } from '../../src/train/find-non-finite-layer.ts';
import { createStep, type TrainStep } from '../../src/train/step.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { makeBatch, SIDE, smallUnet } from '../engine/steps-for-tests.ts';
import { makeSurviving, type Surviving } from './surviving-run.ts';

let surviving: Surviving;
before(async () => {
  await loadForTests();
  surviving = await makeSurviving();
});
after(async () => await surviving.remove());

/** Infinite where every pixel of the batch is in a mask, while its gradient stays a number. */
const infiniteLoss: Loss = (logits, masks) => logits.square().mean<tf.Scalar>().add(masks.mean().sub(1).reciprocal());
/** A number everywhere, whose gradient is none where every pixel of the batch is in a mask: that of √x at 0. */
const infiniteGradient: Loss = (logits, masks) => logits.square().mul(tf.sub(1, masks)).mean<tf.Scalar>().sqrt();

function makeStep(loss: Loss, execution: 'graph' | 'eager', accumulates: boolean): TrainStep {
  const adam = buildOptimizer({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  const sizes = { batchSize: 2, validationBatchSize: 2, resolution: SIDE, seed: 5 };
  const rewrites = { train: [], predict: [] };
  return createStep(smallUnet(), loss, adam, { ...sizes, execution, accumulates, scalesLoss: false, rewrites });
}

const bad = () => ({ ...makeBatch(7), masks: new Uint8Array(2 * SIDE * SIDE).fill(1) });

for (const execution of ['graph', 'eager'] as const) {
  for (const [what, loss] of Object.entries({ infiniteLoss, infiniteGradient })) {
    test(`${execution}, ${what}: a batch without numbers changes nothing, alone or among others`, () => {
      const step = makeStep(loss, execution, false);
      step.update(makeBatch(1), 1e-3);
      assert.equal(step.nonFinite(), undefined);
      const [weights, state] = [step.readWeights(), step.readState()];
      const value = step.update(bad(), 1e-3);
      const broken = step.nonFinite()!;
      assert.equal(Number.isFinite(value), loss === infiniteGradient);
      assert.equal(broken.gradients.length > 0, loss === infiniteGradient, broken.gradients.join());
      assert.deepEqual(step.readWeights(), weights, 'batch-norm statistics among them');
      assert.deepEqual(step.readState().arrays, state.arrays);
      assert.equal(step.readState().counters.updates, 1, 'it counts as no update');
      step.update(makeBatch(2), 1e-3);
      assert.equal(step.nonFinite(), undefined);
      step.dispose();

      const [with3, with2] = [makeStep(loss, execution, true), makeStep(loss, execution, true)];
      for (const one of [with3, with2]) one.accumulate(makeBatch(1));
      with3.accumulate(bad());
      assert.equal(with3.readState().counters.waiting, 2, 'its images are not divided by');
      // Dropout draws by the number of the batch.
      with2.writeState({ ...with2.readState(), counters: with3.readState().counters });
      for (const one of [with3, with2]) {
        one.accumulate(makeBatch(2));
        one.apply(1e-3);
      }
      assert.deepEqual(with3.readWeights(), with2.readWeights());
      for (const one of [with3, with2]) one.dispose();
    });
  }
}

test('the first layer whose output is no number is found, with what went in', () => {
  const model = modelConfig.parse({ encoder: 'efficientnet-b0' });
  const built = buildModel(model, SIDE, 3);
  const weights = readWeights(built);
  built.dispose();
  const [batch, seed] = [makeBatch(1), Int32Array.of(1, 0)];
  const find = () => findNonFiniteLayer({ model, resolution: SIDE, seed: 3 }, weights, batch, seed);
  const fine = find();
  assert.equal(fine.layer, undefined);
  assert.deepEqual([fine.output.shape, fine.output.non_finite], [[2, SIDE, SIDE, 1], 0]);
  const name = 'block3a_expand_conv';
  const kernel = weights.get(`${name}/kernel`)!;
  weights.set(`${name}/kernel`, {
    ...kernel,
    data: kernel.data.map((value, index) => (index === 0 ? 3e38 : value * 1e38)),
  });
  const found = find();
  assert.equal(found.layer, name);
  assert.ok(found.layer !== undefined && found.output.non_finite > 0 && found.input.non_finite === 0);
  assert.equal(found.weights[`${name}/kernel`]?.max ?? Object.values(found.weights)[0]!.max, Math.fround(3e38));
});

test('a run whose loss explodes leaves the weights from before, the batch’s ids and the layer', async () => {
  const words = ['lr_schedule={name: constant, lr: 1.0e30}', 'gradient_clip=null', 'nan_tolerance=1'];
  const { code, stderr } = await surviving.exp(words);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /batch \d+ is left out: the loss is NaN/);
  assert.match(
    stderr,
    /Expected a finite loss and gradients for training \(nan_tolerance 1\) but received 2 batches in a row/,
  );
  const [run] = await surviving.runs();
  const report = JSON.parse(await readFile(join(run!, 'non-finite.json'), 'utf8'));
  assert.equal(report.ids.length, 4);
  assert.ok(typeof report.layer.layer === 'string' && report.layer.output.non_finite > 0, JSON.stringify(report));
  const { weights } = await readCheckpoint(run!, await findCheckpoint(run!, 'last'));
  for (const [name, { data }] of weights) assert.ok(data.every(Number.isFinite), name);
  const entries = readJournal(join(run!, 'journal.jsonl'));
  assert.deepEqual(
    entries.flatMap((entry) => (entry.type === 'end' ? [entry.status] : [])),
    ['FAILED'],
  );
  assert.ok(entries.some((entry) => entry.type === 'artifact' && entry.file === 'non-finite.json'));
});
