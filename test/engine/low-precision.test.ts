import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { before, test } from 'node:test';
import { readSettings } from '../../src/config/settings.ts';
import { createRng } from '../../src/core/random.ts';
import { openTerminal } from '../../src/core/terminal.ts';
import type { Batch } from '../../src/data/batch.ts';
import { estimatePeakBytes } from '../../src/engine/graph/estimate.ts';
import { DATA_TYPE, type RecordedNode } from '../../src/engine/graph/graph-def.ts';
import { type LowPrecision, lowPrecision } from '../../src/engine/graph/low-precision.ts';
import { type Recording, record } from '../../src/engine/graph/record.ts';
import { indexNodes, isOrder, nodeOf, outputOf } from '../../src/engine/graph/rewrite.ts';
import { spreadLate } from '../../src/engine/graph/spread-late.ts';
import { withEngine } from '../../src/engine/install.ts';
import { concatenateLayer, upSamplingLayer } from '../../src/engine/layers/convolution.ts';
import { GlobalAveragePooling2D } from '../../src/engine/layers/global-average-pooling.ts';
import { nativeKernelsLoaded } from '../../src/engine/native-kernels.ts';
import { tf } from '../../src/engine/tf.ts';
import { buildLoss } from '../../src/losses/index.ts';
import {
  batchNormActivation,
  convolution,
  depthwiseConvolution,
  type Feature,
  grayToRgb,
} from '../../src/models/blocks.ts';
import { modelConfig } from '../../src/models/config.ts';
import { buildModel } from '../../src/models/index.ts';
import { adam } from '../../src/optim/adam.ts';
import { defineStep } from '../../src/train/define-step.ts';
import { createStep } from '../../src/train/step.ts';

/** As on a GPU: without our own operations, which run on a processor only, TensorFlow's stand in for them. */
before(async () => {
  Object.assign(process.env, { CUDA_VISIBLE_DEVICES: '-1', TF_CPP_MIN_LOG_LEVEL: '2', TF_NUM_INTRAOP_THREADS: '1' });
  const { cacheDir } = await readSettings();
  await withEngine({ device: 'cpu', cacheDir }, openTerminal(process.stderr), async () => {
    createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
  });
});

const SIDE = 64;
const COUNT = 2;
const loss = buildLoss([
  { name: 'bce', weight: 1, pos_weight: 1 },
  { name: 'dice', weight: 1, smooth: 1, per: 'batch' },
]);
const optimizer = adam({ name: 'adam', beta1: 0.9, beta2: 0.999, epsilon: 1e-7 });
/** Every kind of layer there is, dropout among them. */
const fullNetwork = (side: number) => {
  const config = { encoder: 'efficientnet-b0', decoder: 'unet', dropout: 0.1, drop_connect: 0.1 };
  return buildModel(modelConfig.parse(config), side, 1);
};

/** One block of each kind, so that rounding is not amplified by depth: expansion, depthwise, gate, decoder. */
function smallNetwork(): tf.LayersModel {
  const options = { seed: 1, normMomentum: 0.9 };
  const normed = (x: Feature, name: string, kind: 'relu' | 'swish') =>
    batchNormActivation(x, { norm: `${name}_bn`, activation: `${name}_${kind}` }, kind, options);
  const input = tf.input({ shape: [SIDE, SIDE, 1] });
  const rgb = grayToRgb(input, [0.5, 0.5, 0.5], [0.25, 0.25, 0.25]);
  const stem = normed(convolution(rgb, 'stem', 8, 3, { ...options, strides: 2 }), 'stem', 'swish');
  const deep = normed(depthwiseConvolution(stem, 'deep', 3, { ...options, strides: 2 }), 'deep', 'swish');
  const means = new GlobalAveragePooling2D({ name: 'squeeze' }).apply(deep) as Feature;
  const row = tf.layers.reshape({ targetShape: [1, 1, 8] }).apply(means) as Feature;
  const gate = tf.layers.activation({ activation: 'sigmoid' }).apply(convolution(row, 'gate', 8, 1, options));
  const gated = tf.layers.multiply().apply([deep, gate as Feature]) as Feature;
  const up = upSamplingLayer('up').apply(gated) as Feature;
  const joined = concatenateLayer('join').apply([up, stem]) as Feature;
  const decoded = normed(convolution(joined, 'decoded', 8, 3, options), 'decoded', 'relu');
  const whole = upSamplingLayer('whole').apply(decoded) as Feature;
  return tf.model({ inputs: input, outputs: convolution(whole, 'logits', 1, 3, { ...options, bias: 0 }) });
}
const EXTENTS: LowPrecision[] = [
  { type: 'bfloat16', extent: 'products' },
  { type: 'bfloat16', extent: 'activations' },
  { type: 'float16', extent: 'activations' },
];
const titleOf = ({ type, extent }: LowPrecision) => `${type}, ${extent}`;

/** One update recorded as on a GPU, before and after. */
let plain: Recording | undefined;
function recordUpdate(): Recording {
  plain ??= recordUpdateAt(SIDE);
  return plain;
}

function recordUpdateAt(side: number): Recording {
  const { variables, slots, updates } = defineStep(fullNetwork(side), loss, optimizer, { gathers: false });
  const pixels = { shape: [COUNT, side, side, 1], dtype: 'uint8' as const };
  const seed = { shape: [2], dtype: 'int32' as const };
  const rates = { shape: [1], dtype: 'float32' as const };
  const inputs = { images: pixels, masks: pixels, seed, rates };
  return spreadLate(record('update', inputs, [...variables, ...slots], updates('all').update));
}

const isLow = (dtype: number) => dtype === DATA_TYPE.bfloat16 || dtype === DATA_TYPE.float16;
/** The operations that are done low; what only casts is none. */
const lowOperations = ({ nodes }: Recording) =>
  new Set(
    nodes.filter(({ op, outputs }) => op !== 'Cast' && outputs.some(({ dtype }) => isLow(dtype))).map(({ op }) => op),
  );

test('what is tested is what runs on a GPU', () => {
  assert.equal(nativeKernelsLoaded(), false);
  const ops = new Set(recordUpdate().nodes.map(({ op }) => op));
  for (const op of ['FusedBatchNormV3', 'FusedBatchNormGradV3', 'SoftplusGrad', 'ReluGrad']) assert.ok(ops.has(op), op);
  assert.equal(
    [...ops].some((op) => op.startsWith('Harness')),
    false,
  );
});

for (const precision of EXTENTS) {
  test(`${titleOf(precision)}: every result of the recording is there in the type that it had`, () => {
    const before = recordUpdate();
    const after = indexNodes(lowPrecision(precision)(before).nodes);
    for (const { name, outputs } of before.nodes) {
      const types = after.get(name)!.outputs.map(({ dtype }) => dtype);
      // Of a normalization done low, the first result alone is wanted under the old name.
      assert.deepEqual(
        types,
        outputs.slice(0, types.length).map(({ dtype }) => dtype),
        name,
      );
      assert.ok(types.length > 0 || outputs.length === 0, name);
    }
  });

  test(`${titleOf(precision)}: types fit at every input, and order is kept`, () => {
    const { nodes, outputs, done } = lowPrecision(precision)(recordUpdate());
    const seen = new Map<string, RecordedNode>();
    for (const node of nodes) {
      const sources = node.inputs.filter((ref) => !nodeOf(ref).startsWith('variable/'));
      for (const ref of sources) assert.ok(seen.has(nodeOf(ref)), `${node.name} takes from ${ref} before it is made`);
      seen.set(node.name, node);
      const wanted = node.attributes[node.op === 'Cast' ? 'SrcT' : 'T'];
      if (wanted?.kind !== 'type') continue;
      const dtypes = sources
        .filter((ref) => !isOrder(ref))
        .map((ref) => seen.get(nodeOf(ref))!.outputs[outputOf(ref)]!.dtype);
      // Whole numbers are sizes and axes, and beside low values only statistics are in float32.
      const values = dtypes.filter((dtype) => dtype !== DATA_TYPE.int32);
      if (node.op !== 'Cast') assert.equal(values[0] ?? wanted.value, wanted.value, `${node.op} ${node.name}`);
      else assert.equal(dtypes[0], wanted.value, node.name);
      const strange = values.find((dtype) => isLow(dtype) && dtype !== wanted.value);
      assert.equal(strange, undefined, `${node.op} ${node.name}`);
    }
    for (const ref of [...Object.values(outputs), done]) assert.ok(seen.has(nodeOf(ref)), ref);
  });

  test(`${titleOf(precision)}: variables and what changes them stay in float32`, () => {
    const { nodes } = lowPrecision(precision)(recordUpdate());
    const byName = indexNodes(nodes);
    const changes = nodes.filter(({ op }) => op === 'ResourceApplyAdam' || op === 'AssignVariableOp');
    assert.ok(changes.length > 200, `${changes.length}`);
    for (const { name, op, inputs, attributes } of changes) {
      const type = attributes[op === 'ResourceApplyAdam' ? 'T' : 'dtype'];
      assert.deepEqual(type, { kind: 'type', value: DATA_TYPE.float32 }, name);
      for (const ref of inputs.filter((input) => !isOrder(input) && !input.startsWith('variable/'))) {
        assert.equal(byName.get(nodeOf(ref))!.outputs[outputOf(ref)]!.dtype, DATA_TYPE.float32, `${name} from ${ref}`);
      }
    }
  });

  test(`${titleOf(precision)}: statistics, reductions and logarithms stay in float32`, () => {
    const low = lowOperations(lowPrecision(precision)(recordUpdate()));
    for (const op of ['Mean', 'Sum', 'Log1p', 'Exp', 'ResourceApplyAdam']) assert.equal(low.has(op), false, op);
    const statistics = lowPrecision(precision)(recordUpdate()).nodes.flatMap(({ op, outputs }) =>
      op.startsWith('FusedBatchNorm') ? outputs.slice(1) : [],
    );
    assert.equal(
      statistics.some(({ dtype }) => isLow(dtype)),
      false,
    );
  });
}

test('which operations are done low', () => {
  const lowIn = (extent: LowPrecision['extent']) =>
    lowOperations(lowPrecision({ type: 'bfloat16', extent })(recordUpdate()));
  // The only matrix products here bring a kernel into another form.
  const products = ['Conv2D', 'Conv2DBackpropFilter', 'Conv2DBackpropInput'];
  assert.deepEqual([...lowIn('products')].sort(), products);
  const activations = lowIn('activations');
  for (const op of [...products, 'DepthwiseConv2dNative', 'FusedBatchNormV3', 'Mul', 'Relu', 'Sigmoid', 'ConcatV2']) {
    assert.ok(activations.has(op), op);
  }
});

test('the loss is computed in float32 from the first step after the logits on', () => {
  const low = lowPrecision({ type: 'bfloat16', extent: 'activations' })(recordUpdate());
  const ofLoss = low.nodes.filter(({ op, scope }) => op === 'Sigmoid' && scope === '');
  assert.equal(ofLoss.length > 0, true);
  for (const { name, outputs } of ofLoss) assert.equal(outputs[0]!.dtype, DATA_TYPE.float32, name);
});

test('gradients are gathered in float32, and multiplied by the images before it so', () => {
  const { variables, slots, gathered, updates } = defineStep(fullNetwork(SIDE), loss, optimizer, { gathers: true });
  const pixels = { shape: [COUNT, SIDE, SIDE, 1], dtype: 'uint8' as const };
  const inputs = { images: pixels, masks: pixels, seed: { shape: [2], dtype: 'int32' as const } };
  const all = [...variables, ...slots, ...gathered];
  const { nodes } = lowPrecision({ type: 'float16', extent: 'activations' })(
    record('accumulate', inputs, all, updates('all').accumulate),
  );
  const byName = indexNodes(nodes);
  const sums = nodes.filter(({ op }) => op === 'AssignAddVariableOp');
  assert.equal(sums.length, gathered.length);
  for (const { name, inputs: taken } of sums) {
    const product = byName.get(nodeOf(taken[1]!))!;
    assert.equal(product.op, 'Mul', name);
    assert.equal(product.outputs[0]!.dtype, DATA_TYPE.float32, name);
  }
});

/** The loss before each of five updates by one batch; in float16 those that overflow are no updates, and tried again. */
function train(precision: LowPrecision | undefined): number[] {
  const rewrites = precision === undefined ? [] : [lowPrecision(precision)];
  const scalesLoss = precision?.type === 'float16';
  const step = createStep(smallNetwork(), loss, optimizer, {
    ...{ execution: 'graph', batchSize: COUNT, validationBatchSize: COUNT, resolution: SIDE, seed: 1 },
    ...{ accumulates: false, scalesLoss, rewrites: { train: rewrites, predict: rewrites } },
  });
  const losses: number[] = [];
  for (let tries = 0; losses.length < 5 && tries < 20; tries++) {
    const { updates } = step.readState().counters;
    losses[updates] = step.update(BATCH, 1e-2);
  }
  step.dispose();
  return losses;
}

/** Noise, brighter in a square where the mask is. */
const BATCH: Batch = makeBatch();
function makeBatch(): Batch {
  const rng = createRng(1, 'low precision');
  const masks = Uint8Array.from({ length: COUNT * SIDE ** 2 }, (_, i) =>
    i % SIDE < 24 && Math.floor(i / SIDE) % SIDE < 24 ? 1 : 0,
  );
  const images = masks.map((mask) => rng.integer(0, 180) + 75 * mask);
  return { ids: ['a', 'b'], count: COUNT, resolution: SIDE, images, masks };
}

let exact: number[] | undefined;
for (const precision of EXTENTS) {
  test(`${titleOf(precision)}: the losses of five updates are those of float32, but for rounding`, () => {
    exact ??= train(undefined);
    const losses = train(precision);
    const off = losses.map((value, update) => Math.abs(value / exact![update]! - 1));
    assert.ok(Math.max(...off) < 0.01, `${losses}, in float32 ${exact}`);
    assert.notDeepEqual(losses, exact, 'it was really done low');
    assert.ok(losses[4]! < losses[0]!, `${losses}`);
  });
}

test('activations in 16 bits take less memory than in 32', () => {
  // At a side where activations, not the gradients of weights, are what takes memory.
  const recording = recordUpdateAt(256);
  const plainBytes = estimatePeakBytes(recording.nodes);
  const lowBytes = estimatePeakBytes(lowPrecision({ type: 'bfloat16', extent: 'activations' })(recording).nodes);
  assert.ok(lowBytes < 0.62 * plainBytes, `${lowBytes} and ${plainBytes} bytes`);
});
