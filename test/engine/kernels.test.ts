import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { batchNormInfer, batchNormTrain } from '../../src/engine/kernels/batch-norm.ts';
import { swish } from '../../src/engine/kernels/swish.ts';
import { tf } from '../../src/engine/tf.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

const EPSILON = 1e-3;
const NONE = { name: 'none' } as const;

/** The textbook's batch normalization, part by part, for tfjs's own gradients. */
function plainBatchNorm(x: tf.Tensor4D, gamma: tf.Tensor1D, beta: tf.Tensor1D): tf.Tensor4D {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return x.sub(mean).div(variance.add(EPSILON).sqrt()).mul(gamma).add(beta) as tf.Tensor4D;
}

function assertClose(actual: tf.Tensor, wanted: tf.Tensor, tolerance: number): void {
  const difference = actual.sub(wanted).abs().max().dataSync()[0]!;
  assert.ok(difference <= tolerance, `differs by ${difference}`);
}

test('native batch normalization and its gradients are those of its parts', () => {
  tf.tidy(() => {
    const x = tf.randomNormal([3, 4, 5, 2], 2, 3, 'float32', 1) as tf.Tensor4D;
    const dy = tf.randomNormal([3, 4, 5, 2], 0, 1, 'float32', 2) as tf.Tensor4D;
    const gamma = tf.tensor1d([0.5, 2]);
    const beta = tf.tensor1d([-1, 1]);
    const native = (...args: tf.Tensor[]) =>
      batchNormTrain(args[0] as tf.Tensor4D, args[1] as tf.Tensor1D, args[2] as tf.Tensor1D, EPSILON, NONE, () => {});
    const plain = (...args: tf.Tensor[]) =>
      plainBatchNorm(args[0] as tf.Tensor4D, args[1] as tf.Tensor1D, args[2] as tf.Tensor1D);
    assertClose(native(x, gamma, beta), plain(x, gamma, beta), 1e-5);
    const nativeGradients = tf.grads(native)([x, gamma, beta], dy);
    const plainGradients = tf.grads(plain)([x, gamma, beta], dy);
    nativeGradients.forEach((gradient, i) => {
      assertClose(gradient, plainGradients[i]!, 1e-4);
    });
  });
});

test('the statistics are the mean and the biased variance', () => {
  tf.tidy(() => {
    const x = tf.tensor4d([1, 2, 3, 6], [1, 2, 2, 1]);
    let seen: number[] = [];
    batchNormTrain(x, tf.tensor1d([1]), tf.tensor1d([0]), EPSILON, NONE, ({ mean, variance }) => {
      seen = [mean.dataSync()[0]!, variance.dataSync()[0]!];
    });
    const mean = (1 + 2 + 3 + 6) / 4;
    assert.equal(seen[0], mean);
    assert.ok(Math.abs(seen[1]! - (4 + 1 + 0 + 9) / 4) < 1e-5);
  });
});

test('inference uses the statistics that it is given', () => {
  tf.tidy(() => {
    const statistics = { mean: tf.tensor1d([3]), variance: tf.tensor1d([4 - EPSILON]) };
    const y = batchNormInfer(
      tf.tensor4d([7], [1, 1, 1, 1]),
      tf.tensor1d([2]),
      tf.tensor1d([1]),
      statistics,
      EPSILON,
      NONE,
    );
    assertClose(y, tf.tensor4d([(2 * (7 - 3)) / 2 + 1], [1, 1, 1, 1]), 1e-5);
  });
});

test("swish is x·sigmoid(x), and its gradient agrees with tfjs's", () => {
  tf.tidy(() => {
    const x = tf.tensor1d([-30, -2, -0.1, 0, 0.5, 3, 30]);
    assertClose(swish(x), x.mul(x.sigmoid()), 0);
    const own = tf.grad((value: tf.Tensor) => swish(value))(x);
    assertClose(own, tf.grad((value: tf.Tensor) => value.mul(value.sigmoid()))(x), 1e-6);
  });
});
