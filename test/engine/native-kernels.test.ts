import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { openTerminal } from '../../src/core/terminal.ts';
import { createProgram } from '../../src/engine/graph/program.ts';
import { batchNormInfer, batchNormTrain, type NormActivation } from '../../src/engine/kernels/batch-norm.ts';
import { ensureNativeKernels, nativeKernelsLoaded } from '../../src/engine/native-kernels.ts';
import { tf } from '../../src/engine/tf.ts';
import { type Arrays, normalize } from './batch-norm-reference.ts';
import { checkGroupNorm } from './group-norm-reference.ts';
import { digestKernels, runInProcess } from './kernel-digest.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

const EPSILON = 1e-3;
const ACTIVATIONS: NormActivation[] = [
  { name: 'none' },
  { name: 'relu' },
  { name: 'relu6' },
  { name: 'leaky_relu', alpha: 0.1 },
  { name: 'swish' },
  { name: 'after_leaky_relu', alpha: 0.1 },
];
/** One pixel; channels fewer than a vector, no multiple of one, and of one; several blocks and a rest of a row. */
const SHAPES: [number, number, number, number][] = [
  [1, 1, 1, 1],
  [1, 1, 1, 144],
  [2, 3, 5, 1],
  [2, 5, 7, 3],
  [3, 9, 11, 17],
  [2, 8, 8, 144],
  [2, 67, 65, 24],
];

type Shape4 = [number, number, number, number];

function makeInputs(
  shape: Shape4,
  seed = 1,
): Arrays & { dy: tf.Tensor4D; tensors: [tf.Tensor4D, tf.Tensor1D, tf.Tensor1D] } {
  const channels = shape[3];
  const x = tf.randomNormal(shape, 0.7, 2, 'float32', seed) as tf.Tensor4D;
  const gamma = tf.randomUniform([channels], 0.5, 2, 'float32', seed + 1) as tf.Tensor1D;
  const beta = tf.randomNormal([channels], 0, 1, 'float32', seed + 2) as tf.Tensor1D;
  const dy = tf.randomNormal(shape, 0, 1, 'float32', seed + 3) as tf.Tensor4D;
  const arrays = { x: x.dataSync(), gamma: gamma.dataSync(), beta: beta.dataSync() };
  return { ...arrays, dy, tensors: [x, gamma, beta] };
}

/** Largest difference, relative to the values' size where that is above 1. */
function assertClose(actual: tf.Tensor, wanted: ArrayLike<number>, tolerance: number, what: string): void {
  const values = actual.dataSync();
  assert.equal(values.length, wanted.length, what);
  values.forEach((value, i) => {
    const allowed = tolerance * Math.max(1, Math.abs(wanted[i]!));
    assert.ok(Math.abs(value - wanted[i]!) <= allowed, `${what}[${i}]: ${value}, not ${wanted[i]}`);
  });
}

const eachCase = (check: (shape: Shape4, activation: NormActivation) => void) => {
  for (const shape of SHAPES) for (const activation of ACTIVATIONS) tf.tidy(() => check(shape, activation));
};

test('our own operations are there on the processor', () => {
  assert.equal(nativeKernelsLoaded(), true);
});

test('batch norm with activation gives y, mean and variance as computed in float64', () => {
  eachCase((shape, activation) => {
    const { tensors, ...arrays } = makeInputs(shape);
    const wanted = normalize(arrays, EPSILON, activation);
    const where = `${shape} ${activation.name}`;
    const y = batchNormTrain(...tensors, EPSILON, activation, ({ mean, variance }) => {
      assertClose(mean, wanted.mean, 1e-6, `mean of ${where}`);
      assertClose(variance, wanted.variance, 1e-6, `variance of ${where}`);
    });
    assertClose(y, wanted.y, 1e-5, `y of ${where}`);
  });
});

test('a mean far above the deviation costs the statistics no digits', () => {
  tf.tidy(() => {
    const x = tf.randomNormal([2, 64, 64, 24], 3000, 0.5, 'float32', 5) as tf.Tensor4D;
    const [gamma, beta] = [tf.ones([24]) as tf.Tensor1D, tf.zeros([24]) as tf.Tensor1D];
    const arrays = { x: x.dataSync(), gamma: gamma.dataSync(), beta: beta.dataSync() };
    const wanted = normalize(arrays, EPSILON, { name: 'none' });
    batchNormTrain(x, gamma, beta, EPSILON, { name: 'none' }, ({ mean, variance }) => {
      assertClose(mean, wanted.mean, 1e-7, 'mean');
      assertClose(variance.div(tf.tensor1d(wanted.variance)), new Array(24).fill(1), 2e-6, 'variance');
    });
  });
});

test('inference normalizes by the statistics that it is given', () => {
  eachCase((shape, activation) => {
    const { tensors, ...arrays } = makeInputs(shape);
    // Only the mean and variance are taken, of what is normalized.
    const given = normalize(arrays, EPSILON, activation);
    const statistics = { mean: tf.tensor1d(given.mean), variance: tf.tensor1d(given.variance) };
    const y = batchNormInfer(...tensors, statistics, EPSILON, activation);
    assertClose(y, normalize(arrays, EPSILON, activation).y, 1e-5, `y of ${shape} ${activation.name}`);
  });
});

/** The gradient of Σ dy·y by one element of one input: central difference in float64. */
function differentiate(
  arrays: Arrays,
  dy: ArrayLike<number>,
  activation: NormActivation,
  key: keyof Arrays,
  at: number,
) {
  const lossAt = (step: number) => {
    const moved = Float64Array.from(arrays[key]);
    moved[at]! += step;
    const { y } = normalize({ ...arrays, [key]: moved }, EPSILON, activation);
    return y.reduce((sum, value, i) => sum + value * dy[i]!, 0);
  };
  const step = 1e-6;
  return (lossAt(step) - lossAt(-step)) / (2 * step);
}

test('the gradients of batch norm with activation are finite differences', () => {
  for (const activation of ACTIVATIONS) {
    for (const shape of [
      [2, 5, 7, 3],
      [3, 3, 3, 17],
    ] as Shape4[]) {
      tf.tidy(() => {
        const { tensors, dy, ...arrays } = makeInputs(shape, 11);
        const norm = (...args: tf.Tensor[]) =>
          batchNormTrain(...(args as typeof tensors), EPSILON, activation, () => {});
        const gradients = tf.grads(norm)([...tensors], dy);
        (['x', 'gamma', 'beta'] as const).forEach((key, input) => {
          const wanted = Array.from(arrays[key], (_, at) => differentiate(arrays, dy.dataSync(), activation, key, at));
          assertClose(gradients[input]!, wanted, 2e-5, `gradient of ${key} at ${shape} ${activation.name}`);
        });
      });
    }
  }
});

test('the gradients over several blocks are those of the parts, as tfjs takes them', () => {
  for (const activation of ACTIVATIONS) {
    tf.tidy(() => {
      const { tensors, dy } = makeInputs([2, 67, 65, 24], 21);
      const norm = (...args: tf.Tensor[]) => batchNormTrain(...(args as typeof tensors), EPSILON, activation, () => {});
      const plain = (...args: tf.Tensor[]) => {
        const [given, gamma, beta] = args as typeof tensors;
        const x = activation.name === 'after_leaky_relu' ? tf.leakyRelu(given, activation.alpha) : given;
        const { mean, variance } = tf.moments(x, [0, 1, 2]);
        const z = x.sub(mean).div(variance.add(EPSILON).sqrt()).mul(gamma).add(beta);
        if (activation.name === 'swish') return z.mul(z.sigmoid());
        if (activation.name === 'leaky_relu') return tf.leakyRelu(z, activation.alpha);
        if (activation.name === 'relu6') return z.relu6();
        return activation.name === 'relu' ? z.relu() : z;
      };
      const wanted = tf.grads(plain)([...tensors], dy);
      tf.grads(norm)([...tensors], dy).forEach((gradient, i) => {
        assertClose(gradient, wanted[i]!.dataSync(), 1e-4, `gradient ${i} with ${activation.name}`);
      });
    });
  }
});

test('group norm and its gradients are those of the paper, as tfjs takes them', () => {
  checkGroupNorm();
});

test('a recorded batch norm gives the bits of the eager one, gradients included', () => {
  const shape: Shape4 = [2, 9, 9, 17];
  const { tensors, dy } = makeInputs(shape, 31);
  const [x, gamma, beta] = tensors;
  const step = (values: Record<string, tf.Tensor>) => {
    const norm = (...args: tf.Tensor[]) =>
      batchNormTrain(...(args as typeof tensors), EPSILON, { name: 'swish' }, () => {});
    const y = norm(values.x!, values.gamma!, values.beta!);
    const [dx, dgamma, dbeta] = tf.grads(norm)([values.x!, values.gamma!, values.beta!], values.dy!);
    return { y, dx: dx!, dgamma: dgamma!, dbeta: dbeta! };
  };
  const feeds = { x: x.dataSync(), gamma: gamma.dataSync(), beta: beta.dataSync(), dy: dy.dataSync() };
  const eager = tf.tidy(() =>
    Object.entries(step({ x, gamma, beta, dy })).map(([key, value]) => [key, value.dataSync()]),
  );
  const program = createProgram([]);
  const wide = { shape, dtype: 'float32' as const };
  const narrow = { shape: [17], dtype: 'float32' as const };
  program.define('f', { x: wide, gamma: narrow, beta: narrow, dy: wide }, (values) => step(values));
  program.load();
  const compiled = program.run('f', feeds as Record<string, Float32Array>);
  for (const [key, value] of eager) assert.deepEqual(compiled[key as string], value, key as string);
  program.dispose();
});

test('repeats are bit-equal, and so are runs on one thread and on four', async () => {
  const first = tf.tidy(digestKernels);
  assert.deepEqual(tf.tidy(digestKernels), first);
  assert.deepEqual(await runInProcess({ TF_NUM_INTRAOP_THREADS: '4' }), first);
});

test('what is no number stays none, and a wrong size is refused by name', () => {
  tf.tidy(() => {
    const statistics = { mean: tf.tensor1d([0]), variance: tf.tensor1d([1]) };
    const [one, zero] = [tf.tensor1d([1]), tf.tensor1d([0])];
    for (const activation of ACTIVATIONS) {
      const y = batchNormInfer(tf.tensor4d([Number.NaN, 1], [1, 1, 2, 1]), one, zero, statistics, EPSILON, activation);
      assert.deepEqual([...y.dataSync()].map(Number.isNaN), [true, false], activation.name);
    }
    const wrong = () => batchNormTrain(tf.zeros([1, 2, 2, 3]), one, tf.zeros([3]), EPSILON, { name: 'none' }, () => {});
    assert.throws(wrong, /Expected 3 elements for gamma but received 1/);
  });
});

test('a compiler that fails is an error with what it said first, and leaves nothing behind', async () => {
  const library = await mkdtemp(join(tmpdir(), 'kernels-'));
  const compiling = ensureNativeKernels(library, openTerminal(process.stderr));
  await assert.rejects(compiling, /Expected g\+\+ to compile the kernels.*tensorflow\/c\/kernels\.h: No such file/s);
  assert.deepEqual(await readdir(join(library, 'kernels')), []);
  await rm(library, { recursive: true });
});
