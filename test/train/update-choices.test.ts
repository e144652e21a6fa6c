import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import { createRng } from '../../src/core/random.ts';
import type { NamedTensors } from '../../src/core/safetensors.ts';
import type { Batch } from '../../src/data/batch.ts';
import { tf } from '../../src/engine/tf.ts';
import { buildLoss } from '../../src/losses/index.ts';
import { batchNormActivation, convolution, grayToRgb } from '../../src/models/blocks.ts';
import { isEncoderLayer } from '../../src/models/encoder-layers.ts';
import { buildOptimizer } from '../../src/optim/index.ts';
import { createStep, type StepOptions, type TrainStep } from '../../src/train/step.ts';
import { loadForTests } from '../engine/load-for-tests.ts';

before(loadForTests);

const SIDE = 32;
const loss = buildLoss([{ name: 'bce', weight: 1, pos_weight: 1 }]);

/** An encoder and a decoder of one convolution and one normalization each. */
function smallModel(): tf.LayersModel {
  const options = { seed: 1, normMomentum: 0.9 };
  const input = tf.input({ shape: [SIDE, SIDE, 1] });
  let x = grayToRgb(input, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
  for (const part of ['stem', 'decoder1']) {
    x = convolution(x, `${part}_conv`, 4, 3, options);
    x = batchNormActivation(x, { norm: `${part}_bn`, activation: `${part}_relu` }, 'relu', options);
  }
  return tf.model({ inputs: input, outputs: convolution(x, 'mask_logits', 1, 3, { ...options, bias: 0 }) });
}

/** Gradient descent, whose change of a weight is its gradient times the rate. */
function makeStep(options: Partial<StepOptions>): TrainStep {
  const sgd = buildOptimizer({ name: 'sgd', momentum: 0, nesterov: false });
  const defaults: StepOptions = {
    ...{ execution: 'graph', batchSize: 2, validationBatchSize: 2, resolution: SIDE, accumulates: false, seed: 1 },
    ...{ scalesLoss: false, rewrites: { train: [], predict: [] } },
  };
  return createStep(smallModel(), loss, sgd, { ...defaults, ...options });
}

const BATCH: Batch = (() => {
  const rng = createRng(1, 'update choices');
  const images = Uint8Array.from({ length: 2 * SIDE ** 2 }, () => rng.integer(0, 255));
  const masks = images.map((_, i) => (i % SIDE < 8 ? 1 : 0));
  return { ids: ['a', 'b'], count: 2, resolution: SIDE, images, masks };
})();

const LR = 0.5;
const isTrained = (name: string) => !/moving|gray_to_rgb/.test(name);

/** What one update adds to every trained weight, over the rate. */
function changesOf(step: TrainStep): Map<string, Float32Array> {
  const before = step.readWeights();
  step.update(BATCH, LR);
  const after = step.readWeights();
  return new Map(
    [...before]
      .filter(([name]) => isTrained(name))
      .map(([name, { data }]) => [name, data.map((value, i) => (after.get(name)!.data[i]! - value) / LR)]),
  );
}

function once(options: Partial<StepOptions>) {
  const step = makeStep(options);
  const changes = changesOf(step);
  const norm = step.gradientNorm();
  step.dispose();
  return { changes, norm };
}

const normOf = (changes: Map<string, Float32Array>) =>
  Math.hypot(...[...changes.values()].flatMap((change) => [...change]));

function assertChanges(
  found: Map<string, Float32Array>,
  plain: Map<string, Float32Array>,
  factor: (name: string) => number,
) {
  assert.equal(found.size, plain.size);
  for (const [name, change] of plain) {
    found.get(name)!.forEach((value, i) => {
      const wanted = change[i]! * factor(name);
      assert.ok(Math.abs(value - wanted) <= 1e-6 + 1e-4 * Math.abs(wanted), `${name}: ${value}, not ${wanted}`);
    });
  }
}

for (const execution of ['graph', 'eager'] as const) {
  for (const accumulates of [false, true]) {
    const how = `${execution}, ${accumulates ? 'gathered' : 'at once'}`;
    test(`gradients are shortened together to the norm that is allowed, ${how}`, () => {
      const plain = once({ execution, accumulates });
      assert.equal(plain.norm, undefined);
      const norm = normOf(plain.changes);
      const clipped = once({ execution, accumulates, gradientClip: norm / 4 });
      assert.ok(Math.abs(clipped.norm! / norm - 1) < 1e-4, `${clipped.norm} and ${norm}`);
      assertChanges(clipped.changes, plain.changes, () => 1 / 4);
      const roomy = once({ execution, accumulates, gradientClip: norm * 4 });
      assertChanges(roomy.changes, plain.changes, () => 1);
    });

    test(`the encoder follows at its own rate, ${how}`, () => {
      const plain = once({ execution, accumulates });
      const slower = once({ execution, accumulates, encoderLrFactor: 0.125 });
      assertChanges(slower.changes, plain.changes, (name) => (isEncoderLayer(name) ? 0.125 : 1));
      assert.ok([...plain.changes.keys()].some(isEncoderLayer));
    });

    test(`a frozen encoder stays to the bit, statistics too, and learns afterwards, ${how}`, () => {
      const step = makeStep({ execution, accumulates, freezes: true });
      const start = step.readWeights();
      step.train('decoder');
      const losses = [0, 1, 2].map(() => step.update(BATCH, LR));
      assert.ok(losses[2]! < losses[0]!, `${losses}`);
      const frozen = step.readWeights();
      step.train('all');
      step.update(BATCH, LR);
      const all = step.readWeights();
      for (const [name, { data }] of start) {
        if (name.startsWith('gray_to_rgb')) continue;
        const stays = isEncoderLayer(name);
        assert.equal(isDeepStrictEqual(frozen.get(name)!.data, data), stays, name);
        assert.notDeepEqual(all.get(name)!.data, frozen.get(name)!.data, name);
      }
      step.dispose();
    });
  }

  test(`the average follows the weights by the shares that it is told, ${execution}`, () => {
    const step = makeStep({ execution, averages: true });
    assert.throws(() => step.readAverage(), /none was kept/);
    const shares = [0.3, 0.5, 0.25];
    let wanted: NamedTensors | undefined;
    for (const share of shares) {
      step.update(BATCH, LR);
      step.follow(share);
      const weights = step.readWeights();
      const earlier = wanted ?? weights;
      wanted = new Map(
        [...weights].map(([name, { shape, data }]) => {
          const old = earlier.get(name)!.data;
          // Statistics are not averaged: they are made anew for the average.
          const mixed = data.map((value, i) => (isTrained(name) ? old[i]! + share * (value - old[i]!) : value));
          return [name, { shape, data: mixed }];
        }),
      );
    }
    const found = step.readAverage();
    for (const [name, { data }] of wanted!) {
      found.get(name)!.data.forEach((value, i) => {
        assert.ok(Math.abs(value - data[i]!) < 1e-6, `${name}: ${value}, not ${data[i]}`);
      });
    }
    assert.notDeepEqual(found, step.readWeights());
    step.dispose();
  });
}

test('to freeze the encoder, or to leave it, the step must be made for it and no gradients wait', () => {
  const step = makeStep({ accumulates: true });
  assert.throws(() => step.train('decoder'), /a step that freezes/);
  step.accumulate(BATCH);
  assert.throws(() => step.train('all'), /2 images wait/);
  step.dispose();
});
