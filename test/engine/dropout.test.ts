import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { dropout, withStepSeed } from '../../src/engine/kernels/random.ts';
import { Dropout } from '../../src/engine/layers/dropout.ts';
import { tf } from '../../src/engine/tf.ts';
import { EXECUTIONS, type Execution } from './compare.ts';
import { loadForTests } from './load-for-tests.ts';
import { makeStep, smallUnet, train } from './steps-for-tests.ts';

before(loadForTests);

const EVERY = ['eager', 'graph'] as const;
type Shape = [number, number, number, number];

/** What layers make of an input of ones in training, step by step, and the gradients of their sums. */
function runLayers(execution: Execution, layers: readonly Dropout[], shape: Shape, seeds: readonly number[][]) {
  const program = EXECUTIONS[execution]([]);
  const inputs = { seed: { shape: [2], dtype: 'int32' as const } };
  program.define('train', inputs, ({ seed }) =>
    withStepSeed(seed as tf.Tensor1D, () =>
      Object.fromEntries(
        layers.flatMap((layer) => {
          const drop = (x: tf.Tensor) => layer.apply(x, { training: true }) as tf.Tensor;
          return [
            [layer.name, drop(tf.ones(shape))],
            [`gradient of ${layer.name}`, tf.grad(drop)(tf.ones(shape))],
          ];
        }),
      ),
    ),
  );
  program.load();
  const results = seeds.map((seed) => program.run('train', { seed: Int32Array.from(seed) }));
  program.dispose();
  return results;
}

const layer = (name: string, stream: number, rate = 0.3, perSample = false) =>
  new Dropout({ name, rate, stream, perSample });
const share = (values: ArrayLike<number>, is: (value: number) => boolean) =>
  Array.from(values).filter(is).length / values.length;

for (const execution of EVERY) {
  test(`the mask is a function of seed, step and layer, ${execution}`, () => {
    const make = () => [layer('a', 11), layer('b', 12)];
    const seeds = [
      [1, 0],
      [1, 0],
      [1, 1],
      [2, 0],
    ];
    const [first, again, nextStep, otherSeed] = runLayers(execution, make(), [4, 8, 8, 2], seeds);
    const [rerun] = runLayers(execution, make(), [4, 8, 8, 2], seeds);
    assert.deepEqual(again, first);
    assert.deepEqual(rerun, first);
    for (const other of [nextStep!.a, otherSeed!.a, first!.b]) {
      // Two independent masks agree in 0.3² + 0.7² = 0.58 of the places; 512 of them deviate by 0.022.
      const equal = share(
        Array.from(other!, (value, i) => Number(value === first!.a![i])),
        (value) => value === 1,
      );
      assert.ok(Math.abs(equal - 0.58) < 4 * 0.022, `${equal} of the mask is the same`);
    }
  });

  test(`the share of zeros is the rate, and the mean is kept, ${execution}`, () => {
    for (const rate of [0.1, 0.5, 0.9]) {
      const seeds = Array.from({ length: 100 }, (_, step) => [1, step]);
      const values = runLayers(execution, [layer('a', 3, rate)], [1, 32, 32, 1], seeds).flatMap(({ a }) => [...a!]);
      const sigma = Math.sqrt((rate * (1 - rate)) / values.length);
      const zeros = share(values, (value) => value === 0);
      assert.ok(Math.abs(zeros - rate) < 4 * sigma, `${zeros} of the values are zero at rate ${rate}`);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      assert.ok(Math.abs(mean - 1) < (4 * sigma) / (1 - rate), `the mean is ${mean} at rate ${rate}`);
      const kept = new Set(values.filter((value) => value !== 0));
      assert.deepEqual([...kept], [Math.fround(1 / Math.fround(1 - rate))]);
    }
  });

  test(`a draw per sample keeps or drops whole samples, each at the rate, ${execution}`, () => {
    const seeds = Array.from({ length: 50 }, (_, step) => [1, step]);
    const samples = runLayers(execution, [layer('a', 3, 0.3, true)], [20, 3, 3, 2], seeds).flatMap(({ a }) =>
      Array.from({ length: 20 }, (_, sample) => [...new Set(a!.slice(sample * 18, (sample + 1) * 18))]),
    );
    assert.ok(samples.every((values) => values.length === 1));
    const dropped = share(
      samples.map(([value]) => value!),
      (value) => value === 0,
    );
    assert.ok(Math.abs(dropped - 0.3) < 4 * Math.sqrt((0.3 * 0.7) / samples.length), `${dropped} are dropped`);
  });

  test(`the gradient is by the mask of the values, ${execution}`, () => {
    const layers = [layer('units', 1), layer('samples', 2, 0.5, true)];
    const seeds = Array.from({ length: 5 }, (_, step) => [9, step]);
    for (const result of runLayers(execution, layers, [4, 5, 7, 3], seeds)) {
      for (const { name } of layers) assert.deepEqual(result[`gradient of ${name}`], result[name]);
    }
  });

  test(`in prediction, and at rate 0, nothing is dropped and no seed is needed, ${execution}`, () => {
    const program = EXECUTIONS[execution]([]);
    const x = { shape: [2, 3], dtype: 'float32' as const };
    program.define('f', { x }, ({ x: fed }) => ({
      prediction: layer('a', 1).apply(fed!.mul(2), { training: false }) as tf.Tensor,
      still: layer('b', 1, 0).apply(fed!.mul(2), { training: true }) as tf.Tensor,
    }));
    program.load();
    const values = Float32Array.of(1, 2, 3, 4, 5, 6);
    const { prediction, still } = program.run('f', { x: values });
    const doubled = values.map((value) => 2 * value);
    assert.deepEqual(prediction, doubled);
    assert.deepEqual(still, doubled);
    program.dispose();
  });
}

test('eager and compiled draw the same masks', () => {
  const layers = [layer('units', 1), layer('samples', 2, 0.5, true)];
  const seeds = Array.from({ length: 5 }, (_, step) => [9, step]);
  const [eager, graph] = EVERY.map((execution) => runLayers(execution, layers, [4, 5, 7, 3], seeds));
  assert.deepEqual(graph, eager);
});

test('without a step seed dropout is refused, compiled and not, and after a step that has ended too', () => {
  withStepSeed(tf.tensor1d([1, 2], 'int32'), () => dropout(tf.ones([2]), 0.5, 0));
  assert.throws(() => dropout(tf.ones([2]), 0.5, 0), /Expected a step seed for dropout/);
  const program = EXECUTIONS.graph([]);
  const define = () =>
    program.define('f', {}, () => ({ y: layer('a', 1).apply(tf.ones([2]), { training: true }) as tf.Tensor }));
  assert.throws(define, /Expected a step seed for dropout/);
});

test('a run with dropout repeats to the bit, and another seed gives another run', () => {
  const run = (seed: number, execution: Execution) => {
    const step = makeStep(smallUnet(), { seed, execution });
    const losses = train(step, 4, 1e-3);
    const weights = step.readWeights();
    step.dispose();
    return { losses, weights };
  };
  for (const execution of EVERY) {
    const first = run(1, execution);
    assert.deepEqual(run(1, execution), first);
    const other = run(2, execution);
    assert.ok(
      first.losses.every((loss, i) => loss !== other.losses[i]),
      `${first.losses} and ${other.losses}`,
    );
  }
});
