import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createProgram } from '../../src/engine/graph/program.ts';
import { depthwiseFilterGradient } from '../../src/engine/kernels/depthwise-filter.ts';
import { tf } from '../../src/engine/tf.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

type Shape4 = [number, number, number, number];
interface Case {
  x: Shape4;
  size: [number, number];
  stride: number;
  pad: 'same' | 'valid';
}

/** Channels fewer than a vector, no multiple of one, and several tiles; both paddings, even the lopsided; several bands. */
const CASES: Case[] = [
  { x: [1, 1, 1, 1], size: [1, 1], stride: 1, pad: 'same' },
  { x: [2, 6, 7, 1], size: [3, 3], stride: 1, pad: 'same' },
  { x: [2, 6, 7, 3], size: [3, 3], stride: 2, pad: 'same' },
  { x: [2, 9, 8, 17], size: [5, 5], stride: 2, pad: 'same' },
  { x: [2, 9, 8, 24], size: [5, 5], stride: 1, pad: 'valid' },
  { x: [1, 9, 11, 40], size: [7, 7], stride: 2, pad: 'valid' },
  { x: [1, 8, 8, 144], size: [3, 3], stride: 1, pad: 'same' },
  { x: [1, 5, 6, 16], size: [2, 4], stride: 1, pad: 'same' },
  { x: [1, 2, 2, 33], size: [5, 5], stride: 1, pad: 'same' },
  { x: [2, 67, 65, 20], size: [3, 3], stride: 1, pad: 'same' },
];

function makeInputs({ x: shape, size, stride, pad }: Case) {
  const filterShape = [...size, shape[3], 1] as Shape4;
  const info = tf.backend_util.computeConv2DInfo(shape, filterShape, stride, 1, pad, undefined, true);
  const x = tf.randomNormal(shape, 0, 1, 'float32', 1) as tf.Tensor4D;
  const dy = tf.randomNormal(info.outShape, 0, 1, 'float32', 2) as tf.Tensor4D;
  const attributes = { strides: stride, dilations: 1, pad, filterShape };
  return { x, dy, attributes, top: info.padInfo.top, left: info.padInfo.left };
}

/** Σ x·dy in float64, element by element, with the sum of sizes that rounding goes by. */
function differentiate(x: tf.Tensor4D, dy: tf.Tensor4D, { size, stride }: Case, top: number, left: number) {
  const [values, gradients] = [x.dataSync(), dy.dataSync()];
  const [n, h, w, c] = x.shape;
  const [, oh, ow] = dy.shape;
  const sums = new Float64Array(size[0] * size[1] * c);
  const sizes = new Float64Array(sums.length);
  for (let at = 0; at < gradients.length; at++) {
    const channel = at % c;
    const column = Math.floor(at / c) % ow;
    const row = Math.floor(at / (c * ow)) % oh;
    const image = Math.floor(at / (c * ow * oh));
    for (let tap = 0; tap < size[0] * size[1]; tap++) {
      const y = row * stride + Math.floor(tap / size[1]) - top;
      const z = column * stride + (tap % size[1]) - left;
      if (y < 0 || y >= h || z < 0 || z >= w || image >= n) continue;
      const product = values[((image * h + y) * w + z) * c + channel]! * gradients[at]!;
      sums[tap * c + channel]! += product;
      sizes[tap * c + channel]! += Math.abs(product);
    }
  }
  return { sums, sizes };
}

function assertClose(actual: ArrayLike<number>, { sums, sizes }: ReturnType<typeof differentiate>, what: string): void {
  assert.equal(actual.length, sums.length, what);
  sums.forEach((sum, i) => {
    assert.ok(Math.abs(actual[i]! - sum) <= 1e-6 * sizes[i]! + 1e-7, `${what} [${i}]: ${actual[i]}, not ${sum}`);
  });
}

for (const given of CASES) {
  const what = `[${given.x}] by ${given.size.join('×')}, stride ${given.stride}, ${given.pad}`;
  test(`the filter's gradient of ${what} is the sum taken in float64`, () => {
    tf.tidy(() => {
      const { x, dy, attributes, top, left } = makeInputs(given);
      const own = depthwiseFilterGradient(x, dy, attributes);
      assert.deepEqual(own?.shape, attributes.filterShape);
      const wanted = differentiate(x, dy, given, top, left);
      assertClose(own.dataSync(), wanted, what);
      const convolve = (filter: tf.Tensor) => tf.depthwiseConv2d(x, filter as tf.Tensor4D, given.stride, given.pad);
      const gradient = tf.grad(convolve)(tf.zeros(attributes.filterShape), dy);
      assert.deepEqual(gradient.dataSync(), own.dataSync(), "tfjs's gradient takes our kernel");
    });
  });
}

test('what ours does not do stays with TensorFlow', () => {
  tf.tidy(() => {
    const { x, dy, attributes } = makeInputs({ x: [1, 6, 6, 2], size: [3, 3], stride: 1, pad: 'same' });
    assert.equal(depthwiseFilterGradient(x, dy, { ...attributes, dilations: [2, 2] }), undefined);
    assert.equal(depthwiseFilterGradient(x, dy, { ...attributes, strides: [1, 2] }), undefined);
    assert.equal(depthwiseFilterGradient(x, dy, { ...attributes, pad: 1 }), undefined);
    // Two outputs per channel: output 2c + m is of input channel c.
    const twice = tf.randomNormal([1, 6, 6, 4], 0, 1, 'float32', 3) as tf.Tensor4D;
    const convolve = (filter: tf.Tensor) => tf.depthwiseConv2d(x, filter as tf.Tensor4D, 1, 'same');
    const gradient = tf.grad(convolve)(tf.zeros([3, 3, 2, 2]), twice);
    const ofFirst = twice.reshape([1, 6, 6, 2, 2]).slice([0, 0, 0, 0, 0], [1, 6, 6, 2, 1]).reshape([1, 6, 6, 2]);
    const wanted = depthwiseFilterGradient(x, ofFirst as tf.Tensor4D, attributes)!;
    const difference = gradient.slice([0, 0, 0, 0], [3, 3, 2, 1]).sub(wanted).abs().max().dataSync()[0]!;
    assert.ok(difference < 1e-5, `differs by ${difference}`);
  });
});

test('recorded, it gives the same bits', () => {
  const given: Case = { x: [2, 9, 8, 17], size: [5, 5], stride: 2, pad: 'same' };
  const { x, dy, attributes } = makeInputs(given);
  const program = createProgram([]);
  const spec = (tensor: tf.Tensor) => ({ shape: tensor.shape, dtype: 'float32' as const });
  program.define('f', { x: spec(x), dy: spec(dy) }, (inputs) => {
    const convolve = (filter: tf.Tensor) =>
      tf.depthwiseConv2d(inputs.x as tf.Tensor4D, filter as tf.Tensor4D, given.stride, given.pad);
    return { gradient: tf.grad(convolve)(tf.zeros(attributes.filterShape), inputs.dy) };
  });
  program.load();
  const feeds = { x: x.dataSync() as Float32Array, dy: dy.dataSync() as Float32Array };
  const own = depthwiseFilterGradient(x, dy, attributes)!;
  assert.deepEqual(program.run('f', feeds).gradient, own.dataSync());
  program.dispose();
});
