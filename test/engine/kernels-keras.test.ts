import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import type { TensorValues } from '../../src/engine/graph/binding.ts';
import { batchNormInfer, batchNormTrain } from '../../src/engine/kernels/batch-norm.ts';
import { globalAveragePool } from '../../src/engine/kernels/global-average-pool.ts';
import { leakyRelu, relu } from '../../src/engine/kernels/relu.ts';
import { resizeBilinear } from '../../src/engine/kernels/resize-bilinear.ts';
import { swish } from '../../src/engine/kernels/swish.ts';
import { Activation } from '../../src/engine/layers/activation.ts';
import { BatchNormalization } from '../../src/engine/layers/batch-normalization.ts';
import { upSamplingLayer } from '../../src/engine/layers/convolution.ts';
import { GlobalAveragePooling2D } from '../../src/engine/layers/global-average-pooling.ts';
import { tf } from '../../src/engine/tf.ts';
import { adam as buildAdam } from '../../src/optim/adam.ts';
import { assertWithin, EXECUTIONS, type Execution, runFunction, type Stored } from './compare.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

/**
 * How far a kernel may be from Keras, as a share of the largest of its values: float32 rounds at 6e-8, and sums over a
 * channel gather some of it. 0: the same numbers.
 */
const TOLERANCES = {
  batch_norm: { y: 1e-6, dx: 1e-6, dgamma: 1e-6, dbeta: 1e-6, y_inference: 1e-6 },
  moving_statistics: { moving_mean: 1e-6, moving_variance: 1e-6 },
  swish: { y: 1e-6, dx: 1e-6 },
  relu: { y: 0, dx: 0 },
  leaky_relu: { y: 1e-6, dx: 1e-6 },
  global_average_pool: { y: 1e-6, dx: 1e-6 },
  resize_bilinear: { y: 1e-6, dx: 1e-6 },
  upsample_nearest: { y: 0, dx: 1e-6 },
  // A change is a hundredth of its weight, so a weight's rounding is a larger share of it.
  adam: { weights: 1e-6, changes: 3e-5 },
} as const;

type Case<Keys extends string> = Record<Keys, Stored>;
type Unary = Case<'x' | 'dy' | 'y' | 'dx'>;
interface Golden {
  batch_norm: { epsilon: number; momentum: number } & Unary &
    Case<'gamma' | 'beta' | 'moving_mean' | 'moving_variance' | 'dgamma' | 'dbeta' | 'y_inference'> &
    Case<'moving_mean_after' | 'moving_variance_after'>;
  swish: Unary;
  relu: Unary;
  leaky_relu: Unary & { alpha: number };
  global_average_pool: Unary;
  resize_bilinear: (Unary & { size: [number, number] })[];
  upsample_nearest: Unary;
  adam: { learning_rate: number; beta1: number; beta2: number; epsilon: number } & Case<
    'start' | 'gradients' | 'weights'
  >;
}
const text = readFileSync(new URL('../golden/engine-kernels.json', import.meta.url), 'utf8');
// The stored decimals are the shortest that are these float32 again.
const golden = JSON.parse(text, (key, value) => (key === 'values' ? Float32Array.from(value) : value)) as Golden;
const NONE = { name: 'none' } as const;

const each = (what: string, check: (execution: Execution) => void) => {
  for (const execution of ['eager', 'graph'] as const) test(`${what}, ${execution}`, () => check(execution));
};

/** y and the gradient of Σ dy·y by x. */
function checkUnary(
  name: 'swish' | 'relu' | 'leaky_relu' | 'global_average_pool' | 'resize_bilinear' | 'upsample_nearest',
  kernel: (x: tf.Tensor4D) => tf.Tensor,
  { x, dy, y, dx }: Unary,
  what: string = name,
): void {
  each(`${what} is Keras's`, (execution) => {
    const result = runFunction(execution, { x, dy }, (inputs) => {
      const value = kernel(inputs.x as tf.Tensor4D);
      const gradient = tf.grad((at) => kernel(at as tf.Tensor4D).reshape(value.shape))(inputs.x!, inputs.dy!);
      return { y: value, dx: gradient };
    });
    assertWithin(TOLERANCES[name].y, result.y!, y.values, `y of ${what}, ${execution}`);
    assertWithin(TOLERANCES[name].dx, result.dx!, dx.values, `dx of ${what}, ${execution}`);
  });
}

checkUnary('swish', swish, golden.swish);
checkUnary('relu', relu, golden.relu);
checkUnary('leaky_relu', (x) => leakyRelu(x, golden.leaky_relu.alpha), golden.leaky_relu);
const pooled = golden.global_average_pool;
checkUnary('global_average_pool', (x) => globalAveragePool(x).reshape(pooled.y.shape as [number, number]), pooled);
for (const one of golden.resize_bilinear) {
  checkUnary('resize_bilinear', (x) => resizeBilinear(x, one.size), one, `resize_bilinear to ${one.size}`);
}

// The layers that networks are built of.
const apply = (make: () => tf.layers.Layer) => (x: tf.Tensor) => make().apply(x, { training: true }) as tf.Tensor;
const activation = (name: 'swish' | 'relu') => apply(() => new Activation({ name, activation: name }));
checkUnary('swish', activation('swish'), golden.swish, "the layer's swish");
checkUnary('relu', activation('relu'), golden.relu, "the layer's relu");
const poolingLayer = apply(() => new GlobalAveragePooling2D({ name: 'pool' }));
checkUnary('global_average_pool', poolingLayer, pooled, "the layer's global_average_pool");
checkUnary(
  'upsample_nearest',
  apply(() => upSamplingLayer('up')),
  golden.upsample_nearest,
);

each("batch normalization by the batch's statistics, and its gradients, are Keras's", (execution) => {
  const { epsilon, x, gamma, beta, dy, ...wanted } = golden.batch_norm;
  const result = runFunction(execution, { x, gamma, beta, dy }, (inputs) => {
    const norm = (...args: tf.Tensor[]) =>
      batchNormTrain(args[0] as tf.Tensor4D, args[1] as tf.Tensor1D, args[2] as tf.Tensor1D, epsilon, NONE, () => {});
    const trio = [inputs.x!, inputs.gamma!, inputs.beta!];
    const [dx, dgamma, dbeta] = tf.grads(norm)(trio, inputs.dy!);
    return { y: norm(...trio), dx: dx!, dgamma: dgamma!, dbeta: dbeta! };
  });
  for (const key of ['y', 'dx', 'dgamma', 'dbeta'] as const) {
    assertWithin(TOLERANCES.batch_norm[key], result[key]!, wanted[key].values, `batch_norm ${key}, ${execution}`);
  }
});

each("batch normalization by given statistics is Keras's", (execution) => {
  const { epsilon, x, gamma, beta, moving_mean, moving_variance, y_inference } = golden.batch_norm;
  const result = runFunction(execution, { x, gamma, beta, moving_mean, moving_variance }, (inputs) => {
    const [mean, variance] = [inputs.moving_mean as tf.Tensor1D, inputs.moving_variance as tf.Tensor1D];
    const [scale, offset] = [inputs.gamma as tf.Tensor1D, inputs.beta as tf.Tensor1D];
    return { y: batchNormInfer(inputs.x as tf.Tensor4D, scale, offset, { mean, variance }, epsilon, NONE) };
  });
  const tolerance = TOLERANCES.batch_norm.y_inference;
  assertWithin(tolerance, result.y!, y_inference.values, `batch_norm y_inference, ${execution}`);
});

each("the layer's batch normalization moves its statistics as Keras's does", (execution) => {
  const { epsilon, momentum, x, ...stored } = golden.batch_norm;
  const layer = new BatchNormalization({ name: 'norm', momentum, epsilon });
  layer.build(x.shape as tf.Shape);
  const names = ['gamma', 'beta', 'moving_mean', 'moving_variance'] as const;
  layer.setWeights(names.map((name) => tf.tensor1d(Array.from(stored[name].values))));
  const variables = layer.weights.map((weight, i) => ({ name: names[i]!, variable: weight.read() as tf.Variable }));
  const program = EXECUTIONS[execution](variables);
  const input = { x: { shape: x.shape, dtype: 'float32' as const } };
  program.define('train', input, ({ x: batch }) => ({ y: layer.apply(batch!, { training: true }) as tf.Tensor }));
  program.define('infer', input, ({ x: batch }) => ({ y: layer.apply(batch!, { training: false }) as tf.Tensor }));
  program.load();
  const feeds = { x: Float32Array.from(x.values) };
  const check = (tolerance: number, actual: TensorValues, key: keyof typeof stored, what: string) =>
    assertWithin(tolerance, actual, stored[key].values, `the layer's ${what}, ${execution}`);
  check(TOLERANCES.batch_norm.y_inference, program.run('infer', feeds).y!, 'y_inference', 'y_inference');
  check(TOLERANCES.batch_norm.y, program.run('train', feeds).y!, 'y', 'y');
  const [mean, variance] = program.read(['moving_mean', 'moving_variance']);
  check(TOLERANCES.moving_statistics.moving_mean, mean!, 'moving_mean_after', 'moving mean');
  check(TOLERANCES.moving_statistics.moving_variance, variance!, 'moving_variance_after', 'moving variance');
  program.dispose();
});

each("five updates of Adam are Keras's", (execution) => {
  const { learning_rate, beta1, beta2, epsilon, start, gradients, weights } = golden.adam;
  const size = start.shape[0]!;
  const variables = ['w', 'm', 'v'].map((name) => ({
    name,
    variable: tf.variable(name === 'w' ? tf.tensor1d(Array.from(start.values)) : tf.zeros([size])) as tf.Variable,
  }));
  const [w, m, v] = variables.map(({ variable }) => variable);
  const adam = buildAdam({ name: 'adam', beta1, beta2, epsilon });
  const program = EXECUTIONS[execution](variables);
  const dtype = 'float32' as const;
  program.define('step', { gradient: { shape: [size], dtype }, rate: { shape: [], dtype } }, ({ gradient, rate }) => {
    adam.step(w!, gradient!, [m!, v!], [rate as tf.Scalar]);
    return {};
  });
  program.load();
  const row = ({ values }: Stored, update: number) => Array.from(values).slice((update - 1) * size, update * size);
  const changes = (after: ArrayLike<number>) => Array.from(after, (value, i) => value - start.values[i]!);
  for (let update = 1; update <= gradients.shape[0]!; update++) {
    const rate = Float32Array.from(adam.rates(learning_rate, update));
    program.run('step', { gradient: Float32Array.from(row(gradients, update)), rate });
    const [after] = program.read(['w']);
    const wanted = row(weights, update);
    assertWithin(TOLERANCES.adam.weights, after!, wanted, `weights after update ${update}, ${execution}`);
    assertWithin(TOLERANCES.adam.changes, changes(after!), changes(wanted), `changes after ${update}, ${execution}`);
  }
  program.dispose();
});

test('every case of the golden file is checked', () => {
  const { tensorflow: _, keras: __, ...cases } = golden as unknown as Record<string, unknown>;
  const checked = Object.keys(TOLERANCES).filter((name) => name !== 'moving_statistics');
  assert.deepEqual(Object.keys(cases).sort(), checked.sort());
});
