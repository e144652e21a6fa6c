import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { compile } from '../../src/engine/graph/compile.ts';
import { createEagerProgram } from '../../src/engine/graph/eager-program.ts';
import { encodeSavedModel } from '../../src/engine/graph/graph-def.ts';
import { createProgram, type Program } from '../../src/engine/graph/program.ts';
import type { ProgramVariable } from '../../src/engine/graph/record.ts';
import { varint } from '../../src/engine/graph/wire.ts';
import { applyAdam } from '../../src/engine/kernels/adam.ts';
import { addTo } from '../../src/engine/kernels/add-to.ts';
import { tf } from '../../src/engine/tf.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

const scalar = { shape: [], dtype: 'float32' as const };
const variable = (name: string, values: number[]): ProgramVariable => ({
  name,
  variable: tf.variable(tf.tensor1d(values)),
});
const both = (make: (create: typeof createProgram) => void) => {
  for (const create of [createProgram, createEagerProgram]) make(create);
};
const numbers = (values: ArrayLike<number>) => Array.from(values);

test('whole numbers are written seven bits a byte', () => {
  assert.deepEqual([...varint(300)], [0xac, 0x02]); // 300 = 0b10_0101100
  assert.equal(varint(-1).length, 10);
  assert.equal(encodeSavedModel([]).length > 0, true);
});

test('a function gives the same compiled and kernel by kernel', () => {
  both((create) => {
    const program = create([]);
    program.define('f', { x: { shape: [2, 2], dtype: 'float32' } }, ({ x }) => ({ y: x!.square().sum(1).add(1) }));
    program.load();
    assert.deepEqual(numbers(program.run('f', { x: Float32Array.of(1, 2, 3, 4) }).y!), [1 + 4 + 1, 9 + 16 + 1]);
    program.dispose();
  });
});

test('bytes are fed as they are', () => {
  both((create) => {
    const program = create([]);
    program.define('f', { x: { shape: [3], dtype: 'uint8' } }, ({ x }) => ({ y: x!.toFloat().div(2) }));
    program.load();
    assert.deepEqual(numbers(program.run('f', { x: Uint8Array.of(0, 5, 255) }).y!), [0, 2.5, 127.5]);
    program.dispose();
  });
});

test('variables stay between calls, are shared by functions, and are read and written as a whole', () => {
  both((create) => {
    const w = variable('w', [1, 2]);
    const program = create([w]);
    program.define('grow', { by: scalar }, ({ by }) => {
      const before = w.variable.sum();
      w.variable.assign(w.variable.mul(by!) as tf.Tensor1D);
      return { before };
    });
    program.define('add', {}, () => {
      addTo(w.variable, tf.tensor1d([10, 20]));
      return {};
    });
    program.load();
    assert.deepEqual(numbers(program.run('grow', { by: Float32Array.of(3) }).before!), [1 + 2]);
    program.run('add', {});
    assert.deepEqual(program.read(['w']).map(numbers), [[1 * 3 + 10, 2 * 3 + 20]]);
    program.write(new Map([['w', Float32Array.of(7, 8)]]));
    assert.deepEqual(numbers(program.run('grow', { by: Float32Array.of(1) }).before!), [7 + 8]);
    program.dispose();
  });
});

test('a gradient is recorded with its function', () => {
  both((create) => {
    const w = variable('w', [2, 3]);
    const program = create([w]);
    program.define('step', { x: { shape: [2], dtype: 'float32' } }, ({ x }) => {
      const { value, grads } = tf.variableGrads(() => w.variable.mul(x!).square().sum() as tf.Scalar, [w.variable]);
      return { value, gradient: grads[w.variable.name]! };
    });
    program.load();
    const { value, gradient } = program.run('step', { x: Float32Array.of(1, 2) });
    assert.deepEqual(numbers(value!), [(2 * 1) ** 2 + (3 * 2) ** 2]);
    assert.deepEqual(numbers(gradient!), [2 * 2 * 1 * 1, 2 * 3 * 2 * 2]);
    program.dispose();
  });
});

test('Adam gives the same as one native operation and as the sum of its parts', () => {
  const results = [createProgram, createEagerProgram].map((create) => {
    const [w, m, v] = [variable('w', [1, -1]), variable('m', [0, 0.5]), variable('v', [0, 0.25])];
    const program: Program = create([w, m, v]);
    program.define('step', { rate: scalar }, ({ rate }) => {
      const constants = { beta1: 0.9, beta2: 0.99, epsilon: 1e-7 };
      applyAdam(w.variable, m.variable, v.variable, tf.tensor1d([0.5, 2]), rate as tf.Scalar, constants);
      return {};
    });
    program.load();
    program.run('step', { rate: Float32Array.of(0.1) });
    const values = program.read(['w', 'm', 'v']).flatMap(numbers);
    program.dispose();
    return values;
  });
  // m = 0.1·0.5, v = 0.01·0.25, w = 1 − 0.1·m/√v
  const first = 1 - (0.1 * (0.1 * 0.5)) / Math.sqrt(0.01 * 0.25);
  assert.ok(Math.abs(results[0]![0]! - first) < 1e-5);
  results[0]!.forEach((value, i) => {
    assert.ok(Math.abs(value - results[1]![i]!) < 1e-6, `${value} and ${results[1]![i]}`);
  });
});

test('reading a value while recording is an error that names the operation', () => {
  const program = createProgram([]);
  const define = () => program.define('f', { x: scalar }, ({ x }) => ({ y: tf.scalar(x!.square().dataSync()[0]!) }));
  assert.throws(define, /no value to be read while recording f but the result of f\/Square_\d+ was read/);
  const fine = createProgram([]);
  fine.define('g', { x: scalar }, ({ x }) => ({ y: x!.add(1) }));
  fine.load();
  assert.deepEqual(numbers(fine.run('g', { x: Float32Array.of(1) }).y!), [2], 'the backend is as it was');
  fine.dispose();
});

test('numbers drawn in JavaScript are not frozen into a graph', () => {
  const program = createProgram([]);
  const define = () => program.define('f', {}, () => ({ y: tf.randomUniform([300, 300]).add(1) }));
  assert.throws(define, /no random numbers .* recording f but tf.randomUniform was called \(graph.test.ts:\d+\)/);
});

test('a wrong feed is refused with the count that is needed', () => {
  const program = createProgram([]);
  program.define('f', { x: { shape: [2, 2], dtype: 'float32' } }, ({ x }) => ({ y: x! }));
  program.load();
  assert.throws(
    () => program.run('f', { x: Float32Array.of(1) }),
    /Expected 4 values for the input x of f but received 1/,
  );
  program.dispose();
});

test('reads and updates of a variable happen in the order in which they are made', () => {
  both((create) => {
    const w = variable('w', [1]);
    const program = create([w]);
    program.define('f', {}, () => {
      const before = w.variable.mul(1);
      addTo(w.variable, tf.tensor1d([10]));
      const between = w.variable.mul(1);
      addTo(w.variable, tf.tensor1d([100]));
      return { before, between, after: w.variable.mul(1) };
    });
    program.load();
    for (let round = 0; round < 50; round++) {
      const { before, between, after } = program.run('f', {});
      const start = 1 + round * 110;
      assert.deepEqual([before![0], between![0], after![0]], [start, start + 10, start + 110]);
    }
    program.dispose();
  });
});

test('a variable owns its memory: changing what was written changes nothing', () => {
  const ws = Array.from({ length: 50 }, (_, i) => variable(`w${i}`, [0, 0, 0, 0, 0, 0, 0, 0]));
  const program = createProgram(ws);
  program.define('f', {}, () => ({ y: ws[0]!.variable.sum() }));
  program.load();
  const written = new Map(ws.map(({ name }, i) => [name, new Float32Array(8).fill(i)]));
  program.write(written);
  for (const values of written.values()) values.fill(-1);
  assert.deepEqual(
    program.read(ws.map(({ name }) => name)).map((values) => values[7]),
    ws.map((_, i) => i),
  );
  program.dispose();
});

test('one function is compiled by itself, with its variables', () => {
  const w = variable('w', [1, 2]);
  const step = compile(
    ({ x, rate }) => {
      const loss = () => w.variable.mul(x!).square().sum() as tf.Scalar;
      const { value, grads } = tf.variableGrads(loss, [w.variable]);
      w.variable.assign(w.variable.sub(grads[w.variable.name]!.mul(rate!)) as tf.Tensor1D);
      return { loss: value };
    },
    { x: { shape: [2], dtype: 'float32' }, rate: scalar },
    { variables: [w] },
  );
  const { loss } = step.run({ x: Float32Array.of(3, 4), rate: Float32Array.of(0.25) });
  assert.deepEqual(numbers(loss!), [(1 * 3) ** 2 + (2 * 4) ** 2]);
  // w − rate·2·w·x²
  assert.deepEqual(step.read(['w']).map(numbers), [[1 - 0.25 * 2 * 1 * 9, 2 - 0.25 * 2 * 2 * 16]]);
  step.dispose();
});
