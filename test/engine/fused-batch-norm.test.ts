import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import { readSettings } from '../../src/config/settings.ts';
import { openTerminal } from '../../src/core/terminal.ts';
import { withEngine } from '../../src/engine/install.ts';
import { batchNormInfer, batchNormTrain } from '../../src/engine/kernels/batch-norm.ts';
import { batchNormFrozen } from '../../src/engine/kernels/frozen-batch-norm.ts';
import { swish } from '../../src/engine/kernels/swish.ts';
import { nativeKernelsLoaded } from '../../src/engine/native-kernels.ts';
import { tf } from '../../src/engine/tf.ts';
import { assertWithin, runFunction, type Stored } from './compare.ts';
import { checkGroupNorm } from './group-norm-reference.ts';

/** TensorFlow without our own operations, as on a GPU: what is tested here is what stands in for them there. */
before(async () => {
  const { cacheDir } = await readSettings();
  await withEngine({ device: 'cpu', cacheDir }, openTerminal(process.stderr), async () => {
    createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
  });
});

type Key = 'x' | 'dy' | 'gamma' | 'beta' | 'y' | 'dx' | 'dgamma' | 'dbeta' | 'y_inference';
type Moving = 'moving_mean' | 'moving_variance' | 'moving_mean_after' | 'moving_variance_after';
const text = readFileSync(new URL('../golden/engine-kernels.json', import.meta.url), 'utf8');
const { batch_norm: golden } = JSON.parse(text) as {
  batch_norm: { epsilon: number; momentum: number } & Record<Key | Moving, Stored>;
};

/** As a share of the largest value. */
const TOLERANCE = 1e-6;
const NONE = { name: 'none' } as const;
const norm =
  (activation: Parameters<typeof batchNormTrain>[4], observe: Parameters<typeof batchNormTrain>[5] = () => {}) =>
  (...args: tf.Tensor[]) =>
    batchNormTrain(
      args[0] as tf.Tensor4D,
      args[1] as tf.Tensor1D,
      args[2] as tf.Tensor1D,
      golden.epsilon,
      activation,
      observe,
    );

for (const execution of ['eager', 'graph'] as const) {
  test(`TensorFlow's fused batch normalization, its gradients and its statistics are Keras's, ${execution}`, () => {
    assert.equal(nativeKernelsLoaded(), false);
    const { x, gamma, beta, dy, moving_mean, moving_variance, momentum } = golden;
    const inputs = { x, gamma, beta, dy, moving_mean, moving_variance };
    const result = runFunction(execution, inputs, (fed) => {
      const trio = [fed.x!, fed.gamma!, fed.beta!];
      const moved: Record<string, tf.Tensor> = {};
      // The statistics live only while they are observed.
      const mix = (moving: tf.Tensor, batch: tf.Tensor) => tf.keep(moving.mul(momentum).add(batch.mul(1 - momentum)));
      const y = norm(NONE, ({ mean, variance }) => {
        moved.moving_mean_after = mix(fed.moving_mean!, mean);
        moved.moving_variance_after = mix(fed.moving_variance!, variance);
      })(...trio);
      const [dx, dgamma, dbeta] = tf.grads(norm(NONE))(trio, fed.dy!);
      const [scale, offset] = [fed.gamma as tf.Tensor1D, fed.beta as tf.Tensor1D];
      const statistics = { mean: fed.moving_mean as tf.Tensor1D, variance: fed.moving_variance as tf.Tensor1D };
      const inferred = batchNormInfer(fed.x as tf.Tensor4D, scale, offset, statistics, golden.epsilon, NONE);
      return { y, dx: dx!, dgamma: dgamma!, dbeta: dbeta!, y_inference: inferred, ...moved };
    });
    for (const [key, values] of Object.entries(result)) {
      assertWithin(TOLERANCE, values, golden[key as Key | Moving].values, `fused ${key}, ${execution}`);
    }
    assert.equal(Object.keys(result).length, 7);
  });

  test(`the activation after it is applied, with its gradient, ${execution}`, () => {
    const { x, gamma, beta, dy } = golden;
    const result = runFunction(execution, { x, gamma, beta, dy }, (fed) => {
      const trio = [fed.x!, fed.gamma!, fed.beta!];
      const apart = (...args: tf.Tensor[]) => swish(norm(NONE)(...args));
      const [dx] = tf.grads(norm({ name: 'swish' }))(trio, fed.dy!);
      const [wantedDx] = tf.grads(apart)(trio, fed.dy!);
      return { y: norm({ name: 'swish' })(...trio), wantedY: apart(...trio), dx: dx!, wantedDx: wantedDx! };
    });
    assertWithin(TOLERANCE, result.y!, result.wantedY!, 'y');
    assertWithin(TOLERANCE, result.dx!, result.wantedDx!, 'dx');
  });
}

test('group norm of parts and its gradients are those of the paper, as tfjs takes them', () => {
  assert.equal(nativeKernelsLoaded(), false);
  checkGroupNorm();
});

test('batch norm by given statistics passes its gradient on to x, gamma and beta', () => {
  const { x, gamma, beta, dy, moving_mean, moving_variance, y_inference, epsilon } = golden;
  const load = ({ values, shape }: Stored) => tf.tensor(Float32Array.from(values), [...shape]);
  const [mean, variance] = [moving_mean, moving_variance].map(load) as [tf.Tensor1D, tf.Tensor1D];
  const frozen = (...args: tf.Tensor[]) => {
    const [input, scale, offset] = args as [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D];
    return batchNormFrozen(input, scale, offset, { mean, variance }, epsilon, NONE);
  };
  const inputs = [x, gamma, beta].map(load);
  assertWithin(TOLERANCE, frozen(...inputs).dataSync(), y_inference.values, 'y');
  const channels = gamma.values.length;
  const wanted = { dx: [] as number[], dgamma: new Float64Array(channels), dbeta: new Float64Array(channels) };
  for (const [i, value] of Array.from(dy.values).entries()) {
    const c = i % channels;
    const deviation = Math.sqrt(moving_variance.values[c]! + epsilon);
    wanted.dx.push((value * gamma.values[c]!) / deviation);
    wanted.dgamma[c]! += (value * (x.values[i]! - moving_mean.values[c]!)) / deviation;
    wanted.dbeta[c]! += value;
  }
  const found = tf.grads(frozen)(inputs, load(dy));
  for (const [i, [name, values]] of Object.entries(wanted).entries()) {
    assertWithin(TOLERANCE, found[i]!.dataSync(), values, name);
  }
});
