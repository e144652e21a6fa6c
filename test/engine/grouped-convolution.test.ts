import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { groupedConvolution } from '../../src/engine/kernels/grouped-convolution.ts';
import { GroupedConvolution } from '../../src/engine/layers/grouped-convolution.ts';
import { tf } from '../../src/engine/tf.ts';
import { assertWithin, runFunction, type Stored } from './compare.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

/** As a share of the largest value: sums over 3·3·C/groups products in another order. */
const TOLERANCE = 1e-5;
const CASES = [
  { side: 9, channels: 12, filters: 12, groups: 3, stride: 1, padding: 'same' },
  { side: 10, channels: 12, filters: 24, groups: 4, stride: 2, padding: 'valid' },
  { side: 7, channels: 128, filters: 128, groups: 32, stride: 2, padding: 'same' },
] as const;
type Case = (typeof CASES)[number];

function draw(shape: readonly number[], label: string): Stored {
  const rng = createRng(1, label);
  return { shape, values: Float32Array.from({ length: shape.reduce((n, side) => n * side, 1) }, () => rng.normal()) };
}

/** Each group cut out, convolved by itself and put together again. */
function convolveApart(x: tf.Tensor4D, kernel: tf.Tensor4D, { groups, stride, padding }: Case): tf.Tensor4D {
  const inputs = tf.split(x, groups, 3);
  const kernels = tf.split(kernel, groups, 3);
  return tf.concat(
    inputs.map((input, group) => tf.conv2d(input as tf.Tensor4D, kernels[group] as tf.Tensor4D, stride, padding)),
    3,
  );
}

for (const one of CASES) {
  const { side, channels, filters, groups, stride, padding } = one;
  const x = draw([2, side, side, channels], 'x');
  const kernel = draw([3, 3, channels / groups, filters], 'kernel');
  const withGradients = (convolve: (x: tf.Tensor4D, kernel: tf.Tensor4D) => tf.Tensor4D) => {
    return (inputs: Record<string, tf.Tensor>) => {
      const pair = [inputs.x!, inputs.kernel!];
      const apply = (...[a, b]: tf.Tensor[]) => convolve(a as tf.Tensor4D, b as tf.Tensor4D);
      const y = apply(...pair);
      const [dx, dkernel] = tf.grads(apply)(pair, tf.sin(y));
      return { y, dx: dx!, dkernel: dkernel! };
    };
  };
  for (const execution of ['eager', 'graph'] as const) {
    test(`${groups} groups of ${channels} channels, stride ${stride}, ${padding}, are convolved apart, ${execution}`, () => {
      const together = withGradients((a, b) => groupedConvolution(a, b, stride, padding));
      const apart = withGradients((a, b) => convolveApart(a, b, one));
      const actual = runFunction(execution, { x, kernel }, together);
      const wanted = runFunction('eager', { x, kernel }, apart);
      for (const key of ['y', 'dx', 'dkernel']) assertWithin(TOLERANCE, actual[key]!, wanted[key]!, key);
    });
  }
}

test('the layer is that convolution, with a Keras layer’s weight, shape and configuration', () => {
  const kernelInitializer = tf.initializers.varianceScaling({
    scale: 2,
    mode: 'fanOut',
    distribution: 'normal',
    seed: 1,
  });
  for (const { side, channels, filters, groups, stride: strides, padding } of CASES) {
    const layer = new GroupedConvolution({
      ...{ name: `grouped_${side}`, filters, kernelSize: 3, groups },
      ...{ strides, padding, kernelInitializer },
    });
    const output = layer.apply(tf.input({ shape: [side, side, channels] })) as tf.SymbolicTensor;
    const kernel = layer.getWeights()[0] as tf.Tensor4D;
    assert.deepEqual(kernel.shape, [3, 3, channels / groups, filters]);
    const x = tf.tensor4d(Float32Array.from(draw([1, side, side, channels], 'x').values), [1, side, side, channels]);
    const y = layer.apply(x) as tf.Tensor4D;
    assert.deepEqual(y.shape, [1, ...output.shape.slice(1)]);
    assert.deepEqual(y.dataSync(), groupedConvolution(x, kernel, strides, padding).dataSync());
    assert.equal(layer.getClassName(), 'Conv2D');
    assert.equal(layer.getConfig().groups, groups);
  }
});

test('channels that cannot be divided into equal groups are refused', () => {
  tf.tidy(() => {
    const x = tf.zeros([1, 4, 4, 6]) as tf.Tensor4D;
    for (const shape of [
      [3, 3, 4, 6],
      [3, 3, 2, 4],
    ] as const) {
      const kernel = tf.zeros([...shape]) as tf.Tensor4D;
      assert.throws(() => groupedConvolution(x, kernel, 1, 'same'), /equal groups.*\[1,4,4,6\]/);
    }
  });
});
