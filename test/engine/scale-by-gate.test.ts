import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createProgram } from '../../src/engine/graph/program.ts';
import { scaleByGate } from '../../src/engine/kernels/scale-by-gate.ts';
import { tf } from '../../src/engine/tf.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

type Shape4 = [number, number, number, number];
/** One pixel; channels fewer than a vector, no multiple of one, and of one; several blocks; a rest of a row. */
const SHAPES: Shape4[] = [
  [1, 1, 1, 1],
  [3, 1, 1, 17],
  [2, 5, 7, 3],
  [2, 9, 11, 17],
  [3, 8, 8, 144],
  [2, 67, 65, 40],
];

function makeInputs(shape: Shape4) {
  const x = tf.randomNormal(shape, 1, 2, 'float32', 1) as tf.Tensor4D;
  const gate = tf.randomUniform([shape[0], 1, 1, shape[3]], 0, 1, 'float32', 2) as tf.Tensor4D;
  const dy = tf.randomNormal(shape, 0, 1, 'float32', 3) as tf.Tensor4D;
  return { x, gate, dy };
}

const scale = (...args: tf.Tensor[]) => scaleByGate(args[0] as tf.Tensor4D, args[1] as tf.Tensor4D);

/** Σ dy·x over an image's pixels in float64, with the sum of sizes that rounding goes by. */
function sumByImage(x: tf.Tensor4D, dy: tf.Tensor4D) {
  const [n, h, w, c] = x.shape;
  const sums = new Float64Array(n * c);
  const sizes = new Float64Array(n * c);
  const [values, gradients] = [x.dataSync(), dy.dataSync()];
  values.forEach((value, i) => {
    const at = Math.floor(i / (h * w * c)) * c + (i % c);
    sums[at]! += value * gradients[i]!;
    sizes[at]! += Math.abs(value * gradients[i]!);
  });
  return { sums, sizes };
}

for (const shape of SHAPES) {
  test(`scaling [${shape}] and its gradients are the products and the sum taken in float64`, () => {
    tf.tidy(() => {
      const { x, gate, dy } = makeInputs(shape);
      assert.deepEqual(scaleByGate(x, gate).dataSync(), x.mul(gate).dataSync());
      const [dx, dgate] = tf.grads(scale)([x, gate], dy);
      assert.deepEqual(dx!.dataSync(), dy.mul(gate).dataSync());
      assert.deepEqual(dgate!.shape, gate.shape);
      const { sums, sizes } = sumByImage(x, dy);
      dgate!.dataSync().forEach((value, i) => {
        assert.ok(Math.abs(value - sums[i]!) <= 1e-6 * sizes[i]!, `dgate[${i}]: ${value}, not ${sums[i]}`);
      });
    });
  });
}

test('recorded, it gives the same bits, in the memory of its input or not', () => {
  const { x, gate, dy } = makeInputs([2, 9, 11, 17]);
  const program = createProgram([]);
  const spec = (tensor: tf.Tensor) => ({ shape: tensor.shape, dtype: 'float32' as const });
  program.define('f', { x: spec(x), gate: spec(gate), dy: spec(dy) }, (inputs) => {
    const [dx, dgate] = tf.grads(scale)([inputs.x!, inputs.gate!], inputs.dy);
    // Of a tensor that nothing else needs, and of one that is needed afterwards.
    const doubled = scale(inputs.x!.mul(2), inputs.gate!);
    const tripled = inputs.x!.mul(3);
    return { dx: dx!, dgate: dgate!, doubled, kept: scale(tripled, inputs.gate!).add(tripled) };
  });
  program.load();
  const compiled = program.run('f', {
    x: x.dataSync() as Float32Array,
    gate: gate.dataSync() as Float32Array,
    dy: dy.dataSync() as Float32Array,
  });
  tf.tidy(() => {
    const [dx, dgate] = tf.grads(scale)([x, gate], dy);
    assert.deepEqual(compiled.dx, dx!.dataSync());
    assert.deepEqual(compiled.dgate, dgate!.dataSync());
    assert.deepEqual(compiled.doubled, x.mul(2).mul(gate).dataSync());
    const tripled = x.mul(3);
    assert.deepEqual(compiled.kept, tripled.mul(gate).add(tripled).dataSync());
  });
  program.dispose();
});

test('a gate of another size is refused', () => {
  tf.tidy(() => {
    assert.throws(
      () => scaleByGate(tf.zeros([2, 3, 3, 4]), tf.zeros([1, 1, 1, 4])),
      /Expected 8 elements for gate but received 4/,
    );
  });
});
