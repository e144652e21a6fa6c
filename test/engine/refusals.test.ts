import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { runNative } from '../../src/engine/kernels/native.ts';
import { tf } from '../../src/engine/tf.ts';
import { loadForTests } from './load-for-tests.ts';
import { assertNamesLine, assertWorksAsBefore, checkRefused, define, type Recorded, takeStock } from './refusal.ts';

/** More than a graph embeds. */
const counted = Float32Array.from({ length: 70_000 }, (_, i) => i);
let outside: tf.Tensor;
before(async () => {
  await loadForTests();
  outside = tf.tidy(() => tf.tensor1d(counted).mul(1));
});

const HERE = import.meta.url;
const f32 = 'float32';
const int = { type: 'dtype', value: 'int32' } as const;

const random = (name: string) =>
  new RegExp(`no random numbers drawn in JavaScript while recording f but ${name} was called`);
checkRefused(HERE, [
  ['randomNormal([2]', random('tf.randomNormal'), (x) => x.add(tf.randomNormal([2]))],
  ['randomNormal([2], 0, 1, f32, 3', random('tf.randomNormal'), (x) => x.add(tf.randomNormal([2], 0, 1, f32, 3))],
  ['randomUniform([2]', random('tf.randomUniform'), (x) => x.add(tf.randomUniform([2]))],
  ['randomUniform([2], 0, 1, f32, 3', random('tf.randomUniform'), (x) => x.add(tf.randomUniform([2], 0, 1, f32, 3))],
  ['randomUniformInt(', random('tf.randomUniformInt'), (x) => x.add(tf.randomUniformInt([2], 0, 5))],
  ['randomStandardNormal(', random('tf.randomStandardNormal'), (x) => x.add(tf.randomStandardNormal([2]))],
  ['truncatedNormal(', random('tf.truncatedNormal'), (x) => x.add(tf.truncatedNormal([2]))],
  ['randomGamma(', random('tf.randomGamma'), (x) => x.add(tf.randomGamma([2], 1, 1))],
  ['rand(', random('tf.rand'), (x) => x.add(tf.rand([2], () => 0.5))],
  ['dropout(x, 0.5', random('tf.dropout'), (x) => tf.dropout(x, 0.5)],
  ['dropout(x, 0.4, [2], 3', random('tf.dropout'), (x) => tf.dropout(x, 0.4, [2], 3)],
  ['multinomial(x, 2', random('tf.multinomial'), (x) => tf.multinomial(x, 2)],
  ['multinomial(x, 3, 3', random('tf.multinomial'), (x) => tf.multinomial(x, 3, 3)],
  ['tf.grad((at) => tf.dropout(', random('tf.dropout'), (x) => tf.grad((at) => tf.dropout(at, 0.5))(x)],
]);

const mathRandom = () => assert.throws(() => define((x) => x.mul(Math.random())), random('Math.random'));
test('recording refuses Math.random', mathRandom);

const drawn = [{ name: 'dtype', type: 'dtype', value: 'float32' } as const, { name: 'T', ...int }];
const uniform = () => runNative('RandomUniform', drawn, [tf.tensor1d([2], 'int32')], 1)[0]!;
checkRefused(HERE, [["runNative('RandomUniform'", /no unseeded random operation .* f but RandomUniform/, uniform]]);

/** A network of one layer. */
function network(layer: tf.layers.Layer): Recorded {
  const model = tf.sequential({ layers: [layer] });
  return (x) => model.apply(x.reshape([1, 2]), { training: true }) as tf.Tensor;
}
const inputShape = [2];
const layers: [string, string, Recorded][] = [
  ['dropout', 'dropout', network(tf.layers.dropout({ inputShape, rate: 0.5 }))],
  ['dropout with a seed', 'dropout', network(tf.layers.dropout({ inputShape, rate: 0.5, seed: 3 }))],
  ['gaussianNoise', 'randomNormal', network(tf.layers.gaussianNoise({ inputShape, stddev: 1 }))],
  ['gaussianDropout', 'randomNormal', network(tf.layers.gaussianDropout({ inputShape, rate: 0.5 }))],
  ['alphaDropout', 'randomUniform', network(tf.layers.alphaDropout({ inputShape, rate: 0.5 }))],
];
for (const [layer, name, fn] of layers) {
  test(`recording refuses a network with tfjs's ${layer}`, () => {
    const stock = takeStock();
    assert.throws(() => define(fn), random(`tf.${name}`));
    assert.throws(
      () => define(fn),
      (error) => assertNamesLine(HERE, error, 'model.apply('),
    );
    assert.deepEqual(takeStock(), stock);
    assertWorksAsBefore();
  });
}

const read = (what: string) => new RegExp(`no value to be read while recording f but the result of ${what} was read`);
checkRefused(HERE, [
  ['x.dataSync(', read('f/x'), (x) => x.mul(x.dataSync()[0]!)],
  ['square().dataSync(', read('f/Square_\\d+'), (x) => x.mul(x.square().dataSync()[0]!)],
  ['exp().arraySync(', read('f/Exp_\\d+'), (x) => x.mul(x.exp().arraySync()[0]!)],
  ['x.bufferSync(', read('f/x'), (x) => x.mul(x.bufferSync().get(0))],
  ['x.toString(', read('f/x'), (x) => x.mul(x.toString().length)],
]);

/** Reading that ends in a promise: recording goes on, but the promise fails, and nobody gets a value. */
const promises: [call: string, said: RegExp, read: (x: tf.Tensor1D) => Promise<unknown>][] = [
  ['x.data(', read('f/x'), (x) => x.data()],
  ['x.array(', read('f/x'), (x) => x.array()],
  ['tf.whereAsync(', read('f/Greater_\\d+'), (x) => tf.whereAsync(x.greater(0))],
  ['tf.booleanMaskAsync(', read('f/\\w+'), (x) => tf.booleanMaskAsync(x, x.greater(0))],
  ['tf.setdiff1dAsync(', read('f/x'), (x) => tf.setdiff1dAsync(x, x.exp())],
];
for (const [call, said, start] of promises) {
  const refused = async () => {
    let promise: Promise<unknown> | undefined;
    define((x) => {
      promise = start(x);
      return x.mul(2);
    });
    return await promise!.then(
      () => assert.fail('it has a value'),
      (error: Error) => error,
    );
  };
  test(`${call}…) while recording gives no value`, async () => {
    const stock = takeStock();
    assert.match((await refused()).message, said);
    assert.deepEqual(takeStock(), stock);
    assertWorksAsBefore();
  });
  test(`the refusal of ${call}…) names its line`, async () => {
    assertNamesLine(HERE, await refused(), call);
  });
}

test('a tensor from outside that TensorFlow holds is not read either', () => {
  const outside = tf.tidy(() => tf.tensor1d([1, 2]).square());
  assert.throws(() => define((x) => x.mul(outside.dataSync()[0]!)), read('a tensor from outside'));
  outside.dispose();
});

test('a variable keeps its value where the function is refused, and can be recorded again', () => {
  const entry = { name: 'w', variable: tf.variable(tf.tensor1d([1, 2])) };
  const stock = takeStock();
  const assigning: Recorded = (x) => {
    entry.variable.assign(x.mul(2) as tf.Tensor1D);
    return x.mul(x.dataSync()[0]!);
  };
  assert.throws(() => define(assigning, [entry]), /no value to be read/);
  assert.deepEqual(takeStock(), stock);
  define((x) => entry.variable.mul(x), [entry]);
  assert.deepEqual([...entry.variable.dataSync()], [1, 2]);
});

test('a refusal within a gradient leaves nothing behind', () => {
  const entry = { name: 'w', variable: tf.variable(tf.tensor1d([1, 2])) };
  const stock = takeStock();
  const differentiating: Recorded = (x) => {
    const loss = () => entry.variable.mul(x).square().sum().mul(x.dataSync()[0]!) as tf.Scalar;
    return tf.variableGrads(loss, [entry.variable]).grads[entry.variable.name]!;
  };
  assert.throws(() => define(differentiating, [entry]), /no value to be read/);
  assert.deepEqual(takeStock(), stock);
});

/** A whole number that is computed: a size that would depend on data. */
const computed = (x: tf.Tensor) => x.sum().toInt().reshape([1]);
const byData = (op: string) => new RegExp(`not depend on data.*\\b${op}\\b`);
const T = { name: 'T', type: 'dtype', value: 'float32' } as const;
const bool = [{ name: 'T', type: 'dtype', value: 'bool' } as const];
const zero = () => tf.tensor1d([0], 'int32');
type Call = Parameters<typeof runNative>;
const native = {
  tile: (x: tf.Tensor): Call => ['Tile', [T, { name: 'Tmultiples', ...int }], [x, computed(x)], 1],
  slice: (x: tf.Tensor): Call => ['Slice', [T, { name: 'Index', ...int }], [x, zero(), computed(x)], 1],
  reshape: (x: tf.Tensor): Call => ['Reshape', [T, { name: 'Tshape', ...int }], [x, computed(x)], 1],
  range: (x: tf.Tensor): Call => [
    'Range',
    [{ name: 'Tidx', ...int }],
    [zero().sum(), computed(x).sum(), tf.scalar(1, 'int32')],
    1,
  ],
};
checkRefused(HERE, [
  ['tf.unique(', byData('UniqueV2'), (x) => tf.unique(x).values],
  ["runNative('Where'", byData('Where'), (x) => runNative('Where', bool, [x.greater(0)], 1)[0]!],
]);
checkRefused(HERE, [
  ['native.tile(', byData('Tile'), (x) => runNative(...native.tile(x))[0]!],
  ['native.slice(', byData('Slice'), (x) => runNative(...native.slice(x))[0]!],
  ['native.reshape(', byData('Reshape'), (x) => runNative(...native.reshape(x))[0]!],
  ['native.range(', byData('Range'), (x) => runNative(...native.range(x))[0]!],
]);

const big = /constants of at most 65536 elements in a graph but received \[70000\]/;
checkRefused(HERE, [
  ['tf.tensor1d(counted', big, (x) => x.sum().add(tf.tensor1d(counted))],
  ['add(outside', /an input or a variable for a tensor of shape \[70000\]/, (x) => x.sum().add(outside)],
]);

test('a constant of a single value may be as big as an activation', () => {
  define((x) => x.sum().add(tf.fill([70_000], 3)));
});
