import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import type { NamedTensors } from '../../src/core/safetensors.ts';
import { BatchNormalization } from '../../src/engine/layers/batch-normalization.ts';
import { conv2dLayer, standardizedConv2dLayer } from '../../src/engine/layers/convolution.ts';
import { tf } from '../../src/engine/tf.ts';
import { modelConfig } from '../../src/models/config.ts';
import { foldBatchNorm } from '../../src/models/fold-batch-norm.ts';
import { buildModel } from '../../src/models/index.ts';
import { readWeights, setWeights } from '../../src/models/weights.ts';
import { createPredictor } from '../../src/predict/compile-predictor.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { efficientNetUnet, makeBatch, SIDE, smallUnet } from '../engine/steps-for-tests.ts';
import { buildSmall } from './small-networks.ts';

before(loadForTests);

/** Of a probability. */
const TOLERANCE = 1e-4;
const AREA = SIDE * SIDE;
const TENTH = Math.floor((3 * AREA) / 10);

/** Every weight of a network drawn anew, the normalizations' moving statistics among them, as training might leave them. */
function randomWeights(model: tf.LayersModel): NamedTensors {
  const weights = readWeights(model);
  for (const [name, { data, shape }] of weights) {
    const rng = createRng(1, name);
    const draw = {
      gamma: () => rng.between(0.5, 1.5),
      beta: () => 0.3 * rng.normal(),
      moving_mean: () => 0.3 * rng.normal(),
      moving_variance: () => rng.between(0.3, 3),
    }[name.split('/')[1]!];
    if (draw !== undefined) data.set(Float32Array.from(data, draw));
    // Logits on both sides of zero: else every probability is nearly the same, and so is any mistake.
    if (name.endsWith('logits/bias')) data.fill(0);
    if (name.endsWith('logits/kernel') && shape[0]! > 1) subtractMeans(data, shape[2]!);
  }
  return weights;
}

/** Lets the taps of each input channel of a kernel [k,k,C,1] add up to zero. */
function subtractMeans(kernel: Float32Array, channels: number): void {
  const means = new Float64Array(channels);
  kernel.forEach((w, i) => {
    means[i % channels]! += (w * channels) / kernel.length;
  });
  kernel.set(kernel.map((w, i) => w - means[i % channels]!));
}

/** The mean over the views of the network's probabilities, normalizing as in training's validation. */
function predictPlainly(model: tf.LayersModel, weights: NamedTensors, images: Uint8Array, flip: boolean): Float32Array {
  setWeights(model, weights, 'the test');
  return tf.tidy(() => {
    const pixels = tf.tensor4d(Float32Array.from(images), [images.length / AREA, SIDE, SIDE, 1]);
    const predict = (x: tf.Tensor4D) => tf.sigmoid(model.apply(x, { training: false }) as tf.Tensor4D);
    const plain = predict(pixels);
    const mean = flip ? plain.add(tf.reverse(predict(tf.reverse(pixels, 2)), 2)).div(2) : plain;
    return mean.dataSync() as Float32Array;
  });
}

function assertProbabilities(actual: Float32Array, wanted: Float32Array, what: string): void {
  assert.equal(actual.length, wanted.length);
  const worst = actual.reduce((most, p, i) => Math.max(most, Math.abs(p - wanted[i]!)), 0);
  assert.ok(worst <= TOLERANCE, `${what} differs by ${worst}`);
}

/** Its leaky relu follows a swish at once, which TensorFlow would join without having a kernel for it. */
const simplifiedUnetpp = () =>
  buildModel(modelConfig.parse({ encoder: 'efficientnet-b0', decoder: 'simplified-unetpp' }), SIDE, 3);
const NETWORKS = {
  'a small U-Net': smallUnet,
  'EfficientNet-B0 with U-Net': efficientNetUnet,
  'EfficientNet-B0 with the simplified U-Net++': simplifiedUnetpp,
  'a small network with U-Net++ and attention': () => buildSmall('unetpp', { attention: 'scse' }),
  'a small network with FPN, group norm and a frozen encoder': () =>
    buildSmall('fpn', { norm: 'group', encoderFrozen: true }),
};
for (const [name, build] of Object.entries(NETWORKS)) {
  test(`folded and compiled, ${name} predicts what it predicts layer by layer`, () => {
    const weights = randomWeights(build());
    const kept = structuredClone(weights);
    const { images } = makeBatch(1, 3);
    for (const flip of [false, true]) {
      const wanted = predictPlainly(build(), weights, images, flip);
      const sorted = wanted.toSorted();
      assert.ok(sorted.at(-TENTH)! - sorted[TENTH]! > 0.1, 'the probabilities differ from place to place');
      const options = {
        batchSize: 3,
        resolution: SIDE,
        tta: flip ? (['none', 'hflip'] as const) : (['none'] as const),
      };
      const predictor = createPredictor(() => build(), weights, options, 'the test');
      for (const count of [3, 1, 2]) {
        const batch = { images: images.slice(0, count * AREA), count };
        const what = `${count} of 3 images, ${flip ? 'both views' : 'one view'}`;
        assertProbabilities(predictor.predict(batch).probabilities, wanted.slice(0, count * AREA), what);
      }
      predictor.dispose();
    }
    assert.deepEqual(weights, kept, 'the weights that were handed over stay as they are');
  });
}

type Feature = tf.SymbolicTensor;
const norm = (name: string) => new BatchNormalization({ name, momentum: 0.9, epsilon: 1e-3 });

test('only a convolution that a normalization reads alone is folded into, with its bias', () => {
  const input = tf.input({ shape: [8, 8, 2] });
  const convolve = (name: string, useBias = false) =>
    conv2dLayer({ name, filters: 3, kernelSize: 3, padding: 'same', useBias }).apply(input) as Feature;
  const shared = convolve('shared');
  const depthwise = tf.layers.depthwiseConv2d({ name: 'depthwise', kernelSize: 3, padding: 'same', useBias: false });
  const config = { name: 'transposed', filters: 3, kernelSize: 3, padding: 'same' } as const;
  const transposed = tf.layers.conv2dTranspose(config);
  const standardized = standardizedConv2dLayer({ ...config, name: 'standardized', strides: 1 });
  const parts = [
    norm('folds').apply(convolve('alone')),
    norm('folds_depthwise').apply(depthwise.apply(convolve('before'))),
    norm('folds_biased').apply(convolve('biased', true)),
    norm('of_transposed').apply(transposed.apply(input)),
    norm('of_standardized').apply(standardized.apply(input)),
    norm('of_shared').apply(shared),
    shared,
    norm('of_input').apply(tf.layers.activation({ name: 'active', activation: 'relu' }).apply(convolve('plain'))),
  ] as Feature[];
  const model = tf.model({ inputs: input, outputs: tf.layers.concatenate({ name: 'all' }).apply(parts) as Feature });
  const weights = randomWeights(model);
  setWeights(model, weights, 'the test');
  const x = tf.randomNormal([2, 8, 8, 2], 0, 1, 'float32', 3);
  const predict = () => tf.tidy(() => (model.apply(x, { training: false }) as tf.Tensor).dataSync() as Float32Array);
  const wanted = predict();
  const folded = foldBatchNorm(model, weights);
  const changed = [...folded].filter(([name, value]) => value !== weights.get(name)).map(([name]) => name);
  assert.deepEqual(changed.sort(), [
    'alone/kernel',
    'biased/bias',
    'biased/kernel',
    'depthwise/depthwise_kernel',
    'folds/beta',
    'folds_biased/beta',
    'folds_depthwise/beta',
  ]);
  setWeights(model, folded, 'the test');
  const scale = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  predict().forEach((value, i) => {
    assert.ok(Math.abs(value - wanted[i]!) <= 1e-5 * scale, `${value}, not ${wanted[i]}`);
  });
});
