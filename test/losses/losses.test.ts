import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { lowPrecision } from '../../src/engine/graph/low-precision.ts';
import { createProgram } from '../../src/engine/graph/program.ts';
import { recompute } from '../../src/engine/graph/recompute.ts';
import { record } from '../../src/engine/graph/record.ts';
import { inScope } from '../../src/engine/graph/recording.ts';
import { inFloat32 } from '../../src/engine/kernels/in-float32.ts';
import { tf } from '../../src/engine/tf.ts';
import { buildLoss, type LossConfig, lossConfig } from '../../src/losses/index.ts';
import { assertWithin } from '../engine/compare.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { runLoss } from './golden.ts';

before(loadForTests);

/** Every loss of pixels of the table, so that a newcomer is covered without being named here. */
const losses = lossConfig.options
  .map((option): LossConfig => lossConfig.parse({ name: option.shape.name.value }))
  .filter(({ name }) => name !== 'presence');

const lossOf = (config: LossConfig, logits: number[], masks: number[]): number =>
  tf.tidy(() => {
    const shape: [number, number, number, number] = [1, 2, logits.length / 2, 1];
    return buildLoss([config])(tf.tensor4d(logits, shape), tf.tensor4d(masks, shape)).dataSync()[0]!;
  });

for (const config of losses) {
  test(`${config.name} is lowest where the prediction is right`, () => {
    const masks = [1, 0, 0, 1];
    const right = lossOf(config, [50, -50, -50, 50], masks);
    for (const wrong of [
      [0, 0, 0, 0],
      [-50, -50, -50, 50],
      [-50, 50, 50, -50],
    ])
      assert.ok(right < lossOf(config, wrong, masks));
    assert.ok(Math.abs(right) < 1e-6);
  });

  test(`${config.name} is finite at the extremes and on empty masks`, () => {
    for (const logit of [-1e4, -50, 0, 50, 1e4]) {
      for (const mask of [0, 1]) {
        assert.ok(Number.isFinite(lossOf(config, Array(4).fill(logit), Array(4).fill(mask))));
      }
    }
    assert.ok(Math.abs(lossOf(config, Array(4).fill(-50), Array(4).fill(0))) < 1e-6);
  });

  test(`${config.name}: the gradient agrees with finite differences`, () => {
    const logits = [0.3, -1.2, 2, -0.1, 0.7, -3];
    const masks = [1, 0, 1, 1, 0, 0];
    const gradient = tf.tidy(() => {
      const z = tf.tensor4d(masks, [1, 2, 3, 1]);
      const loss = (x: tf.Tensor) => buildLoss([config])(x as tf.Tensor4D, z);
      return [
        ...tf
          .grad(loss)(tf.tensor4d(logits, [1, 2, 3, 1]))
          .dataSync(),
      ];
    });
    const h = 1e-2;
    const slopes = logits.map((logit, i) => {
      const at = (value: number) => lossOf(config, logits.with(i, value), masks);
      return (at(logit + h) - at(logit - h)) / (2 * h);
    });
    assertWithin(1e-3, gradient, slopes, 'the gradient');
  });

  test(`${config.name}: compiled and kernel by kernel, value and gradient are the same, finite, and in the logits' shape`, () => {
    const shape = [3, 8, 8, 1];
    const rng = createRng(1, config.name);
    const random = Array.from({ length: 192 }, () => 4 * rng.uniform() - 2);
    // The second image's mask is empty, the third's full.
    const masks = random.map((_, i) => (i < 64 ? Number(i % 5 === 0) : Number(i >= 128)));
    const extremes = random.map((value, i) => [-1e4, -50, value, 50, 1e4][i % 5]!);
    const inputs = [random, extremes, random.map(() => 0)].map((logits) => ({ logits, masks }));
    const [graph, eager] = (['graph', 'eager'] as const).map((execution) => runLoss(config, execution, shape, inputs));
    eager!.forEach(({ value, gradient }, i) => {
      const compiled = graph![i]!;
      assert.equal(gradient.length, random.length);
      for (const found of [value, compiled.value, ...Array.from(gradient), ...Array.from(compiled.gradient)]) {
        assert.ok(Number.isFinite(found));
      }
      assertWithin(1e-6, [compiled.value], [value], 'the loss');
      assertWithin(1e-5, compiled.gradient, gradient, 'the gradient');
    });
  });

  test(`${config.name} stays in float32 where the logits come out of 16 bits`, () => {
    const filter = tf.variable(tf.ones([1, 1, 8, 1]));
    const inputs = {
      x: { shape: [2, 16, 16, 8], dtype: 'float32' as const },
      masks: { shape: [2, 16, 16, 1], dtype: 'uint8' as const },
    };
    const recording = record('f', inputs, [{ name: 'filter', variable: filter }], ({ x, masks }) => {
      const ofFilter = () => {
        const logits = (x as tf.Tensor4D).conv2d(filter as unknown as tf.Tensor4D, 1, 'same') as tf.Tensor4D;
        return buildLoss([config])(inFloat32(logits), masks!.toFloat() as tf.Tensor4D);
      };
      const { value, grads } = tf.variableGrads(ofFilter, [filter]);
      return { value, gradient: grads[filter.name]! };
    });
    const { nodes } = lowPrecision({ type: 'bfloat16', extent: 'activations' })(recording);
    const low = nodes.filter(({ name, op }) => name.endsWith('/bfloat16') && op !== 'Cast').map(({ op }) => op);
    assert.deepEqual(low.sort(), ['Conv2D', 'Conv2DBackpropFilter']);
    filter.dispose();
  });

  test(`${config.name}: recomputing the network changes no bit of value and gradient`, () => {
    const shape = [1, 128, 128, 1];
    const rng = createRng(2, config.name);
    const values = Float32Array.from({ length: 128 * 128 }, () => 4 * rng.uniform() - 2);
    const feeds = { x: values, masks: values.map((value) => Number(value > 1)) };
    const spec = { shape, dtype: 'float32' as const };
    const [plain, again] = [[], [recompute((scope) => (scope === 'logits' ? undefined : scope))]].map((rewrites) => {
      const program = createProgram([]);
      const fn = ({ x, masks }: Record<string, tf.Tensor>) => {
        const { value, grad } = tf.valueAndGrad((at: tf.Tensor) => {
          const hidden = inScope('hidden', () => at.mul(2).tanh().square());
          return buildLoss([config])(inScope('logits', () => hidden.mul(3)) as tf.Tensor4D, masks as tf.Tensor4D);
        })(x!);
        return { value, gradient: grad };
      };
      program.define('f', { x: spec, masks: spec }, fn, rewrites);
      program.load();
      const [results, kernels] = [program.run('f', feeds), program.countKernels('f')];
      program.dispose();
      return { results, kernels };
    });
    assert.ok(again!.kernels > plain!.kernels, 'something was computed again');
    assert.deepEqual(again!.results, plain!.results);
    assert.ok(Math.max(...(plain!.results.gradient as Float32Array)) > 0);
  });
}

for (const config of losses) {
  test(`${config.name} alone has a gradient where the masks are made on the way`, () => {
    const w = tf.variable(tf.scalar(0.5));
    const { grads } = tf.variableGrads(() => {
      const masks = tf.tensor4d([1, 0], [1, 1, 2, 1], 'int32').toFloat() as tf.Tensor4D;
      return buildLoss([config])(tf.tensor4d([2, -1], [1, 1, 2, 1]).mul(w), masks);
    }, [w]);
    assert.ok(Number.isFinite(grads[w.name]!.dataSync()[0]));
    tf.dispose([grads, w]);
  });
}

test('binary cross-entropy by hand', () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
  const wanted =
    -(Math.log(sigmoid(1)) + Math.log(1 - sigmoid(-2)) + Math.log(1 - sigmoid(3)) + Math.log(sigmoid(0))) / 4;
  assert.ok(Math.abs(lossOf(lossConfig.parse({ name: 'bce' }), [1, -2, 3, 0], [1, 0, 0, 1]) - wanted) < 1e-6);
});

test('pixels of the mask count pos_weight times', () => {
  const bce = (config: object) => lossConfig.parse({ name: 'bce', ...config });
  const softplus = (x: number) => Math.log(1 + Math.exp(x));
  const wanted = (3 * softplus(-1) + softplus(-2)) / 2;
  assert.ok(Math.abs(lossOf(bce({ pos_weight: 3 }), [1, -2], [1, 0]) - wanted) < 1e-6);
});

test('focal loss by hand: half a right pixel counts (½)² of alpha or of its rest', () => {
  const focal = lossConfig.parse({ name: 'focal', gamma: 2, alpha: 0.75 });
  const wanted = (0.75 * 0.25 * Math.log(2) + 0.25 * 0.25 * Math.log(2)) / 2;
  assert.ok(Math.abs(lossOf(focal, [0, 0], [1, 0]) - wanted) < 1e-6);
  const bce = lossConfig.parse({ name: 'bce' });
  const without = lossConfig.parse({ name: 'focal', gamma: 0, alpha: 0.5, weight: 2 });
  const of = (config: LossConfig) => lossOf(config, [1, -2, 3, 0], [1, 0, 0, 1]);
  assert.ok(Math.abs(of(without) - of(bce)) < 1e-6, 'without gamma it is half the cross-entropy');
});

test('the Tversky loss with both halves is soft Dice', () => {
  const of = (config: object) => lossOf(lossConfig.parse(config), [1, -2, 3, 0, 0.5, -1], [1, 0, 0, 1, 1, 0]);
  const dice = of({ name: 'dice', smooth: 2 });
  assert.ok(Math.abs(of({ name: 'tversky', alpha: 0.5, beta: 0.5, smooth: 1 }) - dice) < 1e-6);
});

test('soft Dice by hand, and weights in a list', () => {
  const dice: LossConfig = lossConfig.parse({ name: 'dice' });
  // p = ½ everywhere: 1 − (2·½·2 + 1)/(4·½ + 2 + 1)
  const wanted = 1 - (2 * 0.5 * 2 + 1) / (4 * 0.5 + 2 + 1);
  assert.ok(Math.abs(lossOf(dice, [0, 0, 0, 0], [1, 1, 0, 0]) - wanted) < 1e-6);
  assert.ok(Math.abs(lossOf({ ...dice, weight: 3 }, [0, 0, 0, 0], [1, 1, 0, 0]) - 3 * wanted) < 1e-6);
});
