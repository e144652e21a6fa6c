import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { buildLoss } from '../../src/losses/index.ts';
import { lossSum } from '../../src/losses/loss-sum.ts';
import { modelConfig } from '../../src/models/config.ts';
import { isEncoderLayer } from '../../src/models/encoder-layers.ts';
import { buildModel } from '../../src/models/index.ts';
import { buildOptimizer } from '../../src/optim/index.ts';
import { createPredictor } from '../../src/predict/compile-predictor.ts';
import { createStep, type StepOptions, type TrainStep } from '../../src/train/step.ts';
import { assertWithin } from '../engine/compare.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { makeBatch, SIDE } from '../engine/steps-for-tests.ts';

before(loadForTests);

const build = () => {
  const config = modelConfig.parse({ encoder: 'efficientnet-b0', norm_momentum: 0.5, presence_head: true });
  return buildModel(config, SIDE, 3);
};

function makeStep(loss: string, options: Partial<StepOptions> = {}): TrainStep {
  const adam = buildOptimizer({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  const defaults: StepOptions = {
    ...{ execution: 'graph', batchSize: 4, validationBatchSize: 4, resolution: SIDE, accumulates: false, seed: 5 },
    ...{ scalesLoss: false, rewrites: { train: [], predict: [] } },
  };
  return createStep(build(), buildLoss(lossSum.parse(loss)), adam, { ...defaults, ...options });
}

/** Of four images the first two have a mask. */
function halfEmpty(seed: number) {
  const batch = makeBatch(seed, 4);
  const half = batch.masks.length / 2;
  batch.masks.fill(0, half);
  for (let i = half; i < batch.images.length; i++) batch.images[i] = Math.min(batch.images[i]!, 180);
  return batch;
}

test('the head learns which images have a mask, and the predictor says what the step says', () => {
  const step = makeStep('bce + presence');
  const batch = halfEmpty(1);
  const start = step.evaluate(batch).presence!;
  assert.ok(
    start.every((p) => p > 0.2 && p < 0.8),
    `it begins near a half: ${start}`,
  );
  for (let update = 0; update < 30; update++) step.update(batch, 1e-3);
  const { presence, probabilities } = step.evaluate(batch);
  assert.equal(presence!.length, 4);
  assert.ok(Math.min(presence![0]!, presence![1]!) > Math.max(presence![2]!, presence![3]!) + 0.2, `${presence}`);
  const options = { batchSize: 4, resolution: SIDE, tta: ['none'] as const };
  const predictor = createPredictor(() => build(), step.readWeights(), options, 'the test');
  const predicted = predictor.predict({ images: batch.images, count: 4 });
  assertWithin(1e-4, predicted.presence!, presence!, 'presence');
  assertWithin(1e-4, predicted.probabilities, probabilities, 'probabilities');
  const one = predictor.predict({ images: batch.images.slice(0, SIDE * SIDE), count: 1 });
  assertWithin(1e-4, one.presence!, presence!.slice(0, 1), 'presence of one image');
  predictor.dispose();
  step.dispose();
});

test('compiled and kernel by kernel the losses agree, with gathered gradients and a frozen encoder as well', () => {
  const [graph, eager] = (['graph', 'eager'] as const).map((execution) => {
    const step = makeStep('bce + dice + 0.5*presence', { execution, accumulates: true, freezes: true });
    step.train('decoder');
    const losses = [0, 1].map((seed) => {
      const loss = step.accumulate(halfEmpty(seed));
      step.apply(1e-4);
      return loss;
    });
    step.dispose();
    return losses;
  });
  assertWithin(1e-5, graph!, eager!, 'losses');
});

test('the loss is cross-entropy of having a mask: at logits of 0 it is ln 2', () => {
  const step = makeStep('bce + presence');
  const weights = step.readWeights();
  for (const part of ['kernel', 'bias']) weights.get(`presence_logit/${part}`)!.data.fill(0);
  step.writeWeights(weights);
  const batch = halfEmpty(2);
  const once = step.evaluate(batch).loss;
  step.dispose();
  const twice = makeStep('bce + 2*presence');
  twice.writeWeights(weights);
  assertWithin(1e-5, [twice.evaluate(batch).loss - once], [Math.LN2], 'the share of presence');
  twice.dispose();
});

test('the head is no part of the encoder, and a network without it cannot have its loss', () => {
  assert.equal(isEncoderLayer('presence_logit/kernel'), false);
  const model = buildModel(modelConfig.parse({ encoder: 'efficientnet-b0' }), SIDE, 3);
  assert.equal(model.outputs.length, 1);
  const step = () =>
    createStep(
      model,
      buildLoss(lossSum.parse('bce + presence')),
      buildOptimizer({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 }),
      {
        ...{ execution: 'graph', batchSize: 1, validationBatchSize: 1, resolution: SIDE, accumulates: false, seed: 5 },
        ...{ scalesLoss: false, rewrites: { train: [], predict: [] } },
      },
    );
  assert.throws(step, /Expected a network with a presence head/);
  model.dispose();
});
