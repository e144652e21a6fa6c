import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createProgram } from '../../src/engine/graph/program.ts';
import { applyAdam } from '../../src/engine/kernels/adam.ts';
import { addTo } from '../../src/engine/kernels/add-to.ts';
import { tf } from '../../src/engine/tf.ts';
import { EXECUTIONS, type Execution } from './compare.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

const vector = { shape: [2], dtype: 'float32' as const };
const variable = (name: string, values: number[]) => ({ name, variable: tf.variable(tf.tensor1d(values)) });

/** Assigns, adds and applies Adam, unless what is fed holds anything but numbers. */
function guarded(execution: Execution) {
  const all = ['plain', 'sum', 'weight', 'm', 'v'].map((name) => variable(name, [1, 2]));
  const [plain, sum, weight, m, v] = all.map((entry) => entry.variable) as [tf.Variable, ...tf.Variable[]];
  const program = EXECUTIONS[execution](all);
  const change = ({ x }: Record<string, tf.Tensor>) => {
    plain.assign(plain.add(x!));
    addTo(sum!, x!);
    applyAdam(weight!, m!, v!, x!, tf.scalar(0.1), { beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
    return { total: x!.sum(), finite: x!.isFinite().all().toFloat() };
  };
  program.define('change', { x: vector }, change, [], 'finite');
  program.load();
  return program;
}

for (const execution of ['graph', 'eager'] as const) {
  test(`${execution}: a guarded function leaves every variable to the bit where its guard is 0`, () => {
    const names = ['plain', 'sum', 'weight', 'm', 'v'];
    const [touched, spared] = [guarded(execution), guarded(execution)];
    const read = (program: typeof touched) => program.read(names).map((values) => Array.from(values));
    const first = read(touched);
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY]) {
      const { total, finite } = touched.run('change', { x: Float32Array.of(1, bad) });
      assert.equal(finite![0], 0);
      assert.equal(total![0], bad, 'results are given all the same');
      assert.deepEqual(read(touched), first);
    }
    for (const program of [touched, spared]) {
      assert.equal(program.run('change', { x: Float32Array.of(3, 4) }).finite![0], 1);
    }
    assert.deepEqual(read(touched), read(spared), 'what was refused left no trace');
    const [plain, sum, weight] = read(touched);
    assert.deepEqual(
      [plain, sum],
      [
        [4, 6],
        [4, 6],
      ],
    );
    assert.notDeepEqual(weight, [1, 2]);
    for (const program of [touched, spared]) program.dispose();
  });
}

test('a guarded function may not read what it has changed', () => {
  const w = variable('w', [1, 2]);
  const program = createProgram([w]);
  const readAfter = ({ x }: Record<string, tf.Tensor>) => {
    addTo(w.variable, x!);
    return { sum: w.variable.sum(), finite: x!.isFinite().all().toFloat() };
  };
  assert.throws(() => program.define('f', { x: vector }, readAfter, [], 'finite'), /no read after a change/);
  assert.throws(() => program.define('g', { x: vector }, readAfter, [], 'good'), /a result of the function/);
});
