import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { addBias } from '../../src/engine/kernels/add-bias.ts';
import { batchNormTrain, type NormActivation } from '../../src/engine/kernels/batch-norm.ts';
import { batchNormFrozen } from '../../src/engine/kernels/frozen-batch-norm.ts';
import { globalAveragePool } from '../../src/engine/kernels/global-average-pool.ts';
import { groupNorm } from '../../src/engine/kernels/group-norm.ts';
import { dropout, withStepSeed } from '../../src/engine/kernels/random.ts';
import { leakyRelu, relu, relu6 } from '../../src/engine/kernels/relu.ts';
import { resizeBilinear } from '../../src/engine/kernels/resize-bilinear.ts';
import { scaleByGate } from '../../src/engine/kernels/scale-by-gate.ts';
import { swish } from '../../src/engine/kernels/swish.ts';
import { upsampledConvolution } from '../../src/engine/kernels/upsampled-convolution.ts';
import { tf } from '../../src/engine/tf.ts';
import { assertWithin, type Stored } from './compare.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

/**
 * Central differences of fourth order: f'(x) ≈ (8·(f(x+h) − f(x−h)) − (f(x+2h) − f(x−2h))) / 12h. Inputs and the step are
 * multiples of 1/64, so that x ± h is exact in float32; the error is h⁴/30 of the fifth derivative, and a rounding
 * of the values (6e-8) divided by h.
 */
const STEP = 1 / 16;
/** As a share of the largest gradient; linear kernels differ by rounding alone. */
const TOLERANCE = { linear: 1e-5, curved: 5e-5 };

type Kernel = (inputs: tf.Tensor[]) => tf.Tensor;

/** Multiples of 1/64, normally distributed, at least 3/16 from zero, so that the differences do not reach relu's corner. */
function draw(shape: readonly number[], label: string): Stored {
  const rng = createRng(1, label);
  const values = Float32Array.from({ length: shape.reduce((count, side) => count * side, 1) }, () => {
    const value = Math.round(64 * rng.normal()) / 64;
    return Math.sign(value || 1) * Math.max(3 / 16, Math.abs(value));
  });
  return { shape, values };
}

/** Σ dy·y with the products summed in float64. */
function weightedSum(kernel: Kernel, inputs: readonly Stored[], dy: ArrayLike<number>): number {
  const y = tf.tidy(() => kernel(inputs.map(toTensor)).dataSync());
  return Array.from(y).reduce((sum, value, i) => sum + value * dy[i]!, 0);
}

function toTensor({ shape, values }: Stored): tf.Tensor {
  return tf.tensor(Float32Array.from(values), [...shape]);
}

/** The gradient of Σ dy·y by one of the inputs, from values alone. */
function differentiate(kernel: Kernel, inputs: readonly Stored[], dy: ArrayLike<number>, input: number): Float64Array {
  return Float64Array.from(inputs[input]!.values, (_, at) => {
    const sumAt = (offset: number) => {
      const values = Float32Array.from(inputs[input]!.values);
      values[at]! += offset;
      const moved = inputs.map((one, i) => (i === input ? { ...one, values } : one));
      return weightedSum(kernel, moved, dy);
    };
    const slope = 8 * (sumAt(STEP) - sumAt(-STEP)) - (sumAt(2 * STEP) - sumAt(-2 * STEP));
    return slope / (12 * STEP);
  });
}

/** Every input's gradient, as the kernel gives it, beside the differences of its values. */
function checkGradients(what: string, kernel: Kernel, shapes: (number[] | Stored)[], tolerance: number): void {
  test(`the gradients of ${what} are finite differences`, () => {
    const inputs = shapes.map((shape, i) => (Array.isArray(shape) ? draw(shape, `${what} ${i}`) : shape));
    const dy = draw(
      tf.tidy(() => kernel(inputs.map(toTensor)).shape),
      `${what} dy`,
    );
    const gradients = tf.tidy(() => {
      const all = tf.grads((...args: tf.Tensor[]) => kernel(args))(inputs.map(toTensor), toTensor(dy));
      return all.map((gradient) => gradient.dataSync());
    });
    gradients.forEach((gradient, input) => {
      const wanted = differentiate(kernel, inputs, dy.values, input);
      assertWithin(tolerance, gradient, wanted, `the gradient of ${what} by input ${input}`);
    });
  });
}

const image = (x: tf.Tensor | undefined) => x as tf.Tensor4D;
const { linear, curved } = TOLERANCE;
checkGradients('swish', ([x]) => swish(x!), [[2, 3, 5, 3]], curved);
checkGradients('relu', ([x]) => relu(x!), [[2, 3, 5, 3]], linear);
checkGradients('relu6', ([x]) => relu6(x!), [{ shape: [6], values: [-9, -1, 1, 5, 7, 9] }], linear);
checkGradients('leaky relu', ([x]) => leakyRelu(x!, 0.1), [[2, 3, 5, 3]], linear);
checkGradients('global average pooling', ([x]) => globalAveragePool(image(x)), [[2, 3, 5, 3]], linear);
for (const size of [
  [6, 10],
  [7, 3],
  [1, 1],
] as const) {
  checkGradients(`bilinear resizing to ${size}`, ([x]) => resizeBilinear(image(x), size), [[2, 3, 5, 3]], linear);
}
const seeded = (noiseShape?: number[]): Kernel => {
  return ([x]) => withStepSeed(tf.tensor1d([3, 4], 'int32'), () => dropout(x!, 0.4, 9, noiseShape));
};
checkGradients('dropout of units', seeded(), [[2, 3, 5, 3]], linear);
checkGradients('dropout of samples', seeded([5, 1, 1, 1]), [[5, 1, 3, 3]], linear);
const gated: Kernel = ([x, gate]) => scaleByGate(image(x), image(gate));
checkGradients(
  'scaling by a gate',
  gated,
  [
    [2, 3, 5, 3],
    [2, 1, 1, 3],
  ],
  linear,
);
const joined: Kernel = ([x, kernel]) => upsampledConvolution(image(x), image(kernel));
checkGradients(
  'up-sampled convolution',
  joined,
  [
    [2, 3, 5, 3],
    [3, 3, 3, 2],
  ],
  linear,
);
for (const [strides, size] of [
  [1, 3],
  [2, 5],
] as const) {
  checkGradients(
    `depthwise convolution of ${size}×${size}, stride ${strides}`,
    ([x, kernel]) => tf.depthwiseConv2d(image(x), image(kernel), strides, 'same'),
    [
      [2, 5, 7, 3],
      [size, size, 3, 1],
    ],
    linear,
  );
}

const normalizing =
  (activation: NormActivation): Kernel =>
  ([x, gamma, beta]) =>
    batchNormTrain(image(x), gamma as tf.Tensor1D, beta as tf.Tensor1D, 1e-3, activation, () => {});
const frozen =
  (activation: NormActivation): Kernel =>
  ([x, gamma, beta]) => {
    const statistics = { mean: tf.tensor1d([0.5, 0, -1]), variance: tf.tensor1d([1, 0.5, 2]) };
    return batchNormFrozen(image(x), gamma as tf.Tensor1D, beta as tf.Tensor1D, statistics, 1e-3, activation);
  };
const grouped =
  (activation: NormActivation): Kernel =>
  ([x, gamma, beta]) =>
    groupNorm(image(x), gamma as tf.Tensor1D, beta as tf.Tensor1D, { groups: 2, epsilon: 1e-3 }, activation);
for (const activation of [{ name: 'none' }, { name: 'swish' }, { name: 'after_leaky_relu', alpha: 0.1 }] as const) {
  const shapes = [[3, 5, 7, 3], [3], [3]];
  checkGradients(`batch normalization with ${activation.name}`, normalizing(activation), shapes, curved);
  const what = `batch normalization by given statistics with ${activation.name}`;
  checkGradients(what, frozen(activation), shapes, curved);
  const groups = [[2, 5, 7, 4], [4], [4]];
  checkGradients(`group normalization with ${activation.name}`, grouped(activation), groups, curved);
}
// Far from the corner on either side of it: |x| is at most 4 deviations.
const gamma = { shape: [3], values: [0.25, -0.5, 0.5] };
const beta = { shape: [3], values: [3, 3, -3] };
for (const activation of [{ name: 'relu' }, { name: 'leaky_relu', alpha: 0.1 }] as const) {
  const shapes = [[3, 5, 7, 3], gamma, beta];
  checkGradients(`batch normalization with ${activation.name}`, normalizing(activation), shapes, curved);
  const what = `batch normalization by given statistics with ${activation.name}`;
  checkGradients(what, frozen(activation), shapes, linear);
}

test('up-sampling joined with its convolution is the two in turn, values and gradients', () => {
  for (const [n, h, w, c, k] of [
    [2, 3, 5, 3, 2],
    [1, 1, 1, 5, 7],
    [3, 9, 7, 4, 3],
  ] as const) {
    const apart = (...[x, kernel]: tf.Tensor[]) =>
      tf.conv2d(tf.image.resizeNearestNeighbor(image(x), [2 * h, 2 * w]), image(kernel), 1, 'same');
    const inputs = [draw([n, h, w, c], 'x'), draw([3, 3, c, k], 'kernel')];
    const dy = draw([n, 2 * h, 2 * w, k], 'dy');
    const [own, wanted] = [(...args: tf.Tensor[]) => joined(args), apart].map((fn) =>
      tf.tidy(() => {
        const tensors = inputs.map(toTensor);
        return [fn(...tensors), ...tf.grads(fn)(tensors, toTensor(dy))].map((tensor) => tensor.dataSync());
      }),
    );
    ['y', 'dx', 'dkernel'].forEach((what, i) => {
      assertWithin(1e-5, own![i]!, wanted![i]!, `${what} of the up-sampled convolution at ${[n, h, w, c, k]}`);
    });
  }
});

test('adding a bias for prediction adds it, and says that it has no gradient', () => {
  tf.tidy(() => {
    const [x, bias] = [tf.tensor4d([1, 2, 3, 4], [1, 1, 2, 2]), tf.tensor1d([10, 20])];
    assert.deepEqual([...addBias(x, bias).dataSync()], [11, 22, 13, 24]);
    assert.throws(() => tf.grad((at) => addBias(at as tf.Tensor4D, bias))(x), /Cannot compute gradient/);
  });
});
