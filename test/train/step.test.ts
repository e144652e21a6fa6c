import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import type { Batch } from '../../src/data/batch.ts';
import { tf } from '../../src/engine/tf.ts';
import { buildLoss } from '../../src/losses/index.ts';
import { activation, batchNorm, convolution, grayToRgb } from '../../src/models/blocks.ts';
import { buildOptimizer } from '../../src/optim/index.ts';
import { createStep, type StepOptions, type TrainStep } from '../../src/train/step.ts';
import { loadForTests } from '../engine/load-for-tests.ts';

before(loadForTests);

const SIDE = 32;
const loss = buildLoss([
  { name: 'bce', weight: 1, pos_weight: 1 },
  { name: 'dice', weight: 1, smooth: 1, per: 'image' },
]);

/** Two convolutions, with batch normalization between them (then without a bias, whose gradient would be noise) or not. */
function smallModel(norm: boolean): tf.LayersModel {
  const options = { seed: 1, normMomentum: 0.9 };
  const input = tf.input({ shape: [SIDE, SIDE, 1] });
  const rgb = grayToRgb(input, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
  const first = convolution(rgb, 'first', 4, 3, norm ? options : { ...options, bias: 0 });
  const active = activation(norm ? batchNorm(first, 'norm', options) : first, 'relu', 'relu');
  return tf.model({ inputs: input, outputs: convolution(active, 'second', 1, 3, { ...options, bias: 0 }) });
}

function makeStep(options: Partial<StepOptions> & { norm: boolean }): TrainStep {
  const adam = buildOptimizer({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
  const defaults: StepOptions = {
    execution: 'graph',
    batchSize: 4,
    validationBatchSize: 4,
    resolution: SIDE,
    accumulates: true,
    seed: 1,
    scalesLoss: false,
    rewrites: { train: [], predict: [] },
  };
  return createStep(smallModel(options.norm), loss, adam, { ...defaults, ...options });
}

/** Noise, with a bright square where the mask is. */
function makeBatch(seed: number, count: number): Batch {
  const rng = createRng(seed, 'batch');
  const images = Uint8Array.from({ length: count * SIDE * SIDE }, () => rng.integer(0, 180));
  const masks = new Uint8Array(images.length);
  for (let i = 0; i < images.length; i++) {
    if (i % SIDE < 8 && Math.floor(i / SIDE) % SIDE < 8) {
      masks[i] = 1;
      images[i]! += 75;
    }
  }
  return { ids: Array.from({ length: count }, (_, i) => `${seed}-${i}`), count, resolution: SIDE, images, masks };
}

function part(batch: Batch, from: number, count: number): Batch {
  const area = SIDE * SIDE;
  const cut = (data: Uint8Array) => data.slice(from * area, (from + count) * area);
  return {
    ...batch,
    ids: batch.ids.slice(from, from + count),
    count,
    images: cut(batch.images),
    masks: cut(batch.masks),
  };
}

const relative = (a: number, b: number) => Math.abs(a - b) / Math.max(Math.abs(a), Math.abs(b), 1e-12);

test('compiled and kernel by kernel, training is the same', () => {
  const [graph, eager] = [makeStep({ norm: true }), makeStep({ norm: true, execution: 'eager' })];
  for (let update = 0; update < 5; update++) {
    const losses = [graph, eager].map((step) => {
      const value = step.accumulate(makeBatch(update, 4));
      step.apply(1e-2);
      return value;
    });
    assert.ok(relative(losses[0]!, losses[1]!) < 1e-4, `losses ${losses} at update ${update}`);
  }
  const wanted = eager.readWeights();
  for (const [name, { data }] of graph.readWeights()) {
    const other = wanted.get(name)!.data;
    data.forEach((value, i) => {
      assert.ok(Math.abs(value - other[i]!) < 1e-4, `${name}[${i}]: ${value} and ${other[i]}`);
    });
  }
  graph.dispose();
  eager.dispose();
});

test('two compiled runs are equal to the bit', () => {
  const [first, second] = [0, 1].map(() => {
    const step = makeStep({ norm: true });
    for (let update = 0; update < 3; update++) {
      step.accumulate(makeBatch(update, 4));
      step.apply(1e-2);
    }
    const weights = step.readWeights();
    step.dispose();
    return weights;
  });
  assert.deepEqual(first, second);
});

test('training makes the loss smaller', () => {
  const step = makeStep({ norm: true });
  const losses = Array.from({ length: 30 }, () => {
    const value = step.accumulate(makeBatch(1, 4));
    step.apply(1e-2);
    return value;
  });
  assert.ok(losses.at(-1)! < losses[0]! / 2, `${losses[0]} to ${losses.at(-1)}`);
  step.dispose();
});

for (const execution of ['graph', 'eager'] as const) {
  test(`${execution}: accumulated batches equal one large batch, and a partial group divides by its own size`, () => {
    const batch = makeBatch(7, 8);
    const [small, large] = [2, 8].map((batchSize) => makeStep({ norm: false, execution, batchSize }));
    // A first group of four batches, then one of two: the second update is by 4 images, not by 8.
    for (const from of [0, 2, 4, 6]) small!.accumulate(part(batch, from, 2));
    small!.apply(1e-3);
    large!.accumulate(batch);
    large!.apply(1e-3);
    const expected = large!.readWeights();
    for (const [name, { data }] of small!.readWeights()) {
      data.forEach((value, i) => {
        assert.ok(Math.abs(value - expected.get(name)!.data[i]!) < 1e-5, name);
      });
    }
    small!.dispose();
    large!.dispose();
  });
}

test('an update needs gradients', () => {
  const step = makeStep({ norm: false });
  assert.throws(() => step.apply(1e-3), /received none/);
  step.accumulate(makeBatch(1, 4));
  step.apply(1e-3);
  assert.throws(() => step.apply(1e-3), /received none/);
  step.dispose();
});

test('a smaller last batch scores as its images do', () => {
  const step = makeStep({ norm: true });
  const batch = makeBatch(3, 4);
  const whole = step.evaluate(batch);
  const last = step.evaluate(part(batch, 2, 2));
  assert.equal(last.probabilities.length, 2 * SIDE * SIDE);
  assert.deepEqual(last.probabilities, whole.probabilities.slice(2 * SIDE * SIDE));
  step.dispose();
});

test('refreshed batch-norm statistics are the plain mean over the batches', () => {
  const step = makeStep({ norm: true });
  const meanAfter = (seeds: number[]) => {
    seeds.forEach((seed, index) => {
      step.refreshBatchNorm(makeBatch(seed, 4), index);
    });
    return step.readWeights().get('norm/moving_mean')!.data;
  };
  const [first, second] = [meanAfter([1]), meanAfter([2])];
  meanAfter([1, 2]).forEach((value, i) => {
    assert.ok(Math.abs(value - (first[i]! + second[i]!) / 2) < 1e-5);
  });
  step.dispose();
});

test('weights are written by name; what does not fit is listed', () => {
  const [one, other] = [makeStep({ norm: true }), makeStep({ norm: true })];
  one.accumulate(makeBatch(1, 4));
  one.apply(1e-2);
  other.writeWeights(one.readWeights());
  assert.deepEqual(other.readWeights(), one.readWeights());
  const wrong = one.readWeights();
  wrong.delete('first/kernel');
  wrong.set('third/kernel', { shape: [1], data: Float32Array.of(0) });
  assert.throws(() => other.writeWeights(wrong), /first\/kernel: missing\n {2}third\/kernel: not in this network/);
  one.dispose();
  other.dispose();
});
