import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { tf } from '../../src/engine/tf.ts';
import { buildOptimizer, type OptimizerConfig, optimizerConfig } from '../../src/optim/index.ts';
import { assertWithin, EXECUTIONS, type Execution, type Stored } from '../engine/compare.ts';
import { loadForTests } from '../engine/load-for-tests.ts';

before(loadForTests);

/** Every optimizer of the table, so that a newcomer is covered without being named here. */
const optimizers = optimizerConfig.options.map((option) => optimizerConfig.parse({ name: option.shape.name.value }));

type Weights = Record<string, Stored>;
interface Update {
  lr: number;
  gradients: Weights;
}

/** The weights after each update. */
function follow(config: OptimizerConfig, execution: Execution, start: Weights, updates: readonly Update[]): Weights[] {
  const optimizer = buildOptimizer(config);
  const spec = ({ shape }: Stored) => ({ shape, dtype: 'float32' as const });
  const weights = Object.entries(start).map(([name, { shape, values }]) => {
    const zeros = () => tf.variable(tf.zeros([...shape]), false);
    const variable = tf.variable(tf.tensor(Array.from(values), [...shape]));
    return { name, variable, slots: optimizer.slots.map((slot) => ({ name: `${name}/${slot}`, variable: zeros() })) };
  });
  const program = EXECUTIONS[execution](weights.flatMap(({ name, variable, slots }) => [{ name, variable }, ...slots]));
  const rates = { shape: [optimizer.rates(0, 1).length], dtype: 'float32' as const };
  const inputs = Object.fromEntries(Object.entries(start).map(([name, weight]) => [name, spec(weight)]));
  program.define('step', { ...inputs, rates }, (fed) => {
    const scalars = tf.unstack(fed.rates!) as tf.Scalar[];
    for (const { name, variable, slots } of weights) {
      optimizer.step(
        variable,
        fed[name]!,
        slots.map((slot) => slot.variable),
        scalars,
      );
    }
    return {};
  });
  program.load();
  const after = updates.map(({ lr, gradients }, i): Weights => {
    const feeds = Object.entries(gradients).map(([name, { values }]) => [name, Float32Array.from(values)]);
    program.run('step', { ...Object.fromEntries(feeds), rates: Float32Array.from(optimizer.rates(lr, i + 1)) });
    const names = Object.keys(start);
    const found = program.read(names);
    return Object.fromEntries(names.map((name, at) => [name, { shape: start[name]!.shape, values: [...found[at]!] }]));
  });
  program.dispose();
  return after;
}

interface Golden {
  config: { name: string };
  start: Weights;
  updates: (Update & { weights: Weights })[];
}
const read = (file: string) => {
  const text = readFileSync(new URL(`../golden/${file}`, import.meta.url), 'utf8');
  return (JSON.parse(text) as { optimizers: Golden[] }).optimizers;
};
const golden = ['Keras', 'PyTorch'].flatMap((peer) =>
  read(peer === 'Keras' ? 'optim-keras.json' : 'optim-torch.json').map((one) => ({ peer, ...one })),
);

for (const { peer, config, start, updates } of golden) {
  for (const execution of ['graph', 'eager'] as const) {
    test(`five updates are ${peer}'s: ${JSON.stringify(config)}, ${execution}`, () => {
      const found = follow(optimizerConfig.parse(config), execution, start, updates);
      updates.forEach(({ weights }, i) => {
        for (const [name, { values }] of Object.entries(weights)) {
          assertWithin(1e-6, found[i]![name]!.values, values, `${name} after update ${i + 1}`);
        }
      });
    });
  }
}

test('every optimizer is held against another implementation', () => {
  const names = optimizers.map(({ name }) => name);
  assert.deepEqual([...new Set(golden.map(({ config }) => config.name))].sort(), names.sort());
});

/** A kernel and a bias. */
const start: Weights = {
  kernel: { shape: [2, 3], values: [1, -2, 0.5, 3, -1, 0.1] },
  bias: { shape: [3], values: [1, 0, -1] },
};
function drawUpdates(count: number): Update[] {
  const rng = createRng(1, 'updates');
  const draw = ({ shape, values }: Stored) => ({ shape, values: Array.from(values, () => rng.normal()) });
  return Array.from({ length: count }, (_, i) => ({
    lr: 0.01 * (1 + (i % 3)),
    gradients: Object.fromEntries(Object.entries(start).map(([name, weight]) => [name, draw(weight)])),
  }));
}

for (const config of optimizers) {
  test(`${config.name}: compiled and kernel by kernel, ten updates are the same`, () => {
    const [graph, eager] = (['graph', 'eager'] as const).map((execution) =>
      follow(config, execution, start, drawUpdates(10)),
    );
    graph!.forEach((weights, i) => {
      for (const [name, { values }] of Object.entries(weights))
        assertWithin(1e-6, values, eager![i]![name]!.values, name);
    });
  });

  test(`${config.name}: a first update goes against the gradient, and without a rate nowhere`, () => {
    const [update] = drawUpdates(1);
    const [after] = follow(config, 'graph', start, [update!]);
    const [same] = follow(config, 'graph', start, [{ ...update!, lr: 0 }]);
    for (const name of ['kernel', 'bias']) {
      const [from, to, gradient] = [start[name]!, after![name]!, update!.gradients[name]!].map(({ values }) =>
        Array.from(values),
      );
      for (const [i, value] of to!.entries()) {
        assert.equal(Math.sign(from![i]! - value), Math.sign(gradient![i]!), `${name} ${i}`);
      }
      assertWithin(1e-7, same![name]!.values, from!, name);
    }
  });

  test(`${config.name}: as many rates at every update, each in proportion to the learning rate`, () => {
    const { rates } = buildOptimizer(config);
    for (const update of [1, 2, 10, 1000, 100_000]) {
      const [one, tenth] = [rates(1, update), rates(0.1, update)];
      assert.equal(one.length, rates(1, 1).length);
      for (const [i, rate] of one.entries()) assert.ok(rate > 0 && Math.abs(tenth[i]! / rate - 0.1) < 1e-12);
    }
  });
}

test('AdamW takes its share from kernels alone', () => {
  const still = drawUpdates(1).map(({ gradients }) => {
    const zeros = Object.entries(gradients).map(([name, { shape, values }]) => [
      name,
      { shape, values: Array.from(values, () => 0) },
    ]);
    return { lr: 0.1, gradients: Object.fromEntries(zeros) as Weights };
  });
  const [after] = follow(optimizerConfig.parse({ name: 'adamw', weight_decay: 0.5 }), 'graph', start, still);
  assertWithin(
    1e-6,
    after!.kernel!.values,
    Array.from(start.kernel!.values, (value) => value * (1 - 0.1 * 0.5)),
    'kernel',
  );
  assert.deepEqual(after!.bias!.values, start.bias!.values);
});

test("Adam's rate holds the bias corrections", () => {
  const adam = buildOptimizer(optimizerConfig.parse({ name: 'adam' }));
  assert.ok(Math.abs(adam.rates(1, 1)[0]! - Math.sqrt(1 - 0.999) / (1 - 0.9)) < 1e-12);
  assert.ok(Math.abs(adam.rates(1, 1e6)[0]! - 1) < 1e-12);
});

test('gradient descent holds a velocity where it has momentum, and looks ahead only then', () => {
  assert.deepEqual(buildOptimizer(optimizerConfig.parse({ name: 'sgd' })).slots, ['velocity']);
  const plain = { name: 'sgd', momentum: 0, nesterov: false };
  assert.deepEqual(buildOptimizer(optimizerConfig.parse(plain)).slots, []);
  assert.throws(() => optimizerConfig.parse({ name: 'sgd', momentum: 0 }), /nowhere to look ahead/);
});
