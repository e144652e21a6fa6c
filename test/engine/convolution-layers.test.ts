import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import { type Recording, record } from '../../src/engine/graph/record.ts';
import { indexNodes, nodeOf } from '../../src/engine/graph/rewrite.ts';
import { concatenateLayer, conv2dLayer, upSamplingLayer } from '../../src/engine/layers/convolution.ts';
import { tf } from '../../src/engine/tf.ts';
import { type NamedVariable, namedVariables } from '../../src/models/weights.ts';
import { assertWithin, EXECUTIONS } from './compare.ts';
import { loadForTests } from './load-for-tests.ts';

before(loadForTests);

/** As a share of the largest value: the same products in another order. */
const TOLERANCE = 2e-6;
const SHAPE = [2, 6, 10, 2] as const;

type Layers = {
  up: (name: string) => tf.layers.Layer;
  concatenate: (name: string) => tf.layers.Layer;
  convolve: typeof conv2dLayer;
};
const OURS: Layers = { up: upSamplingLayer, concatenate: concatenateLayer, convolve: conv2dLayer };
const PLAIN: Layers = {
  up: (name) => tf.layers.upSampling2d({ name, size: [2, 2] }),
  concatenate: (name) => tf.layers.concatenate({ name }),
  convolve: (config) => tf.layers.conv2d(config),
};

/** What is concatenated before the convolution: parts at half the resolution, up-sampled, and others as they are. */
const PARTS = {
  'one part': ['up'],
  'two parts': ['up', 'skip'],
  'three parts': ['up', 'skip', 'up'],
  'three parts, the up-sampled one in the middle': ['skip', 'up', 'skip'],
} as const;
type Parts = (typeof PARTS)[keyof typeof PARTS];

/** A small network around the convolution, every part of it from a convolution with weights of its own. */
function buildModel(layers: Layers, parts: Parts, useBias: boolean): tf.LayersModel {
  const [, height, width, channels] = SHAPE;
  const input = tf.input({ shape: [height, width, channels] });
  const made = parts.map((part, i) => {
    const strides = part === 'up' ? 2 : 1;
    // Parts of unequal widths, so that a wrong slice of the kernel shows.
    const config = { name: `part${i}`, filters: 3 + i, kernelSize: 1, strides };
    const feature = tf.layers.conv2d(config).apply(input) as tf.SymbolicTensor;
    return part === 'up' ? (layers.up(`up${i}`).apply(feature) as tf.SymbolicTensor) : feature;
  });
  const whole = made.length === 1 ? made[0]! : (layers.concatenate('concat').apply(made) as tf.SymbolicTensor);
  const joined = layers.convolve({ name: 'joined', filters: 5, kernelSize: 3, padding: 'same', useBias }).apply(whole);
  const output = tf.layers.conv2d({ name: 'last', filters: 1, kernelSize: 3 }).apply(joined) as tf.SymbolicTensor;
  return tf.model({ inputs: input, outputs: output });
}

function setNormal(model: tf.LayersModel): NamedVariable[] {
  const variables = namedVariables(model);
  for (const { name, variable } of variables) {
    const rng = createRng(1, name);
    const values = Float32Array.from({ length: variable.size }, () => 0.5 * rng.normal());
    tf.tidy(() => variable.assign(tf.tensor(values, variable.shape)));
  }
  return variables;
}

type StepFunction = (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>;
const infer =
  (model: tf.LayersModel): StepFunction =>
  ({ x }) => ({ y: model.apply(x!, { training: false }) as tf.Tensor });
/** The gradient of Σ y² by every weight. */
const train =
  (model: tf.LayersModel, variables: readonly NamedVariable[]): StepFunction =>
  ({ x }) => {
    const { grads } = tf.variableGrads(
      () => (model.apply(x!, { training: true }) as tf.Tensor).square().sum() as tf.Scalar,
      variables.map(({ variable }) => variable),
    );
    return Object.fromEntries(variables.map(({ name, variable }) => [name, grads[variable.name]!]));
  };

const INPUT = { x: { shape: SHAPE, dtype: 'float32' as const } };
const rng = createRng(1, 'x');
const X = Float32Array.from({ length: SHAPE.reduce((count, side) => count * side, 1) }, () => rng.normal());

function runModel(layers: Layers, parts: Parts, useBias: boolean, execution: keyof typeof EXECUTIONS) {
  const model = buildModel(layers, parts, useBias);
  const variables = setNormal(model);
  const program = EXECUTIONS[execution](variables);
  program.define('infer', INPUT, infer(model));
  program.define('train', INPUT, train(model, variables));
  program.load();
  const { y } = program.run('infer', { x: X });
  const gradients = program.run('train', { x: X });
  program.dispose();
  model.dispose();
  return { y: y!, ...gradients };
}

/** The operations that the results and updates need. */
function liveOperations({ nodes, done }: Recording): Set<string> {
  const byName = indexNodes(nodes);
  const live = new Set<string>();
  const waiting = [done];
  while (waiting.length > 0) {
    const name = waiting.pop()!;
    const node = byName.get(name);
    if (live.has(name) || node === undefined) continue;
    live.add(name);
    waiting.push(...node.inputs.map(nodeOf));
  }
  return new Set([...live].map((name) => byName.get(name)!.op));
}

for (const [name, parts] of Object.entries(PARTS)) {
  for (const useBias of [true, false]) {
    const what = `${name}, ${useBias ? 'with' : 'without'} a bias`;

    test(`joined up-sampling, concatenation and convolution are the plain layers: ${what}`, () => {
      const wanted = runModel(PLAIN, parts, useBias, 'eager');
      assert.equal(Object.keys(wanted).length, 1 + 2 * parts.length + (useBias ? 2 : 1) + 2);
      for (const execution of ['eager', 'graph'] as const) {
        const result = runModel(OURS, parts, useBias, execution);
        for (const [key, values] of Object.entries(wanted)) {
          const label = key === 'y' ? 'y' : `gradient of ${key}`;
          assertWithin(TOLERANCE, result[key as 'y']!, values, `${label} of ${what}, ${execution}`);
        }
      }
    });

    test(`neither the up-sampled nor the concatenated array is made: ${what}`, () => {
      const operations = (layers: Layers) => {
        const model = buildModel(layers, parts, useBias);
        const variables = setNormal(model);
        const functions = [infer(model), train(model, variables)];
        const live = functions.map((fn) => liveOperations(record('f', INPUT, variables, fn)));
        model.dispose();
        return live;
      };
      const found = (live: Set<string>) =>
        ['ConcatV2', 'ResizeNearestNeighbor', 'ResizeNearestNeighborGrad'].filter((op) => live.has(op));
      assert.deepEqual(operations(OURS).map(found), [[], []]);
      const whole = parts.length === 1 ? [] : ['ConcatV2'];
      assert.deepEqual(operations(PLAIN).map(found), [
        [...whole, 'ResizeNearestNeighbor'],
        [...whole, 'ResizeNearestNeighbor', 'ResizeNearestNeighborGrad'],
      ]);
    });
  }
}
