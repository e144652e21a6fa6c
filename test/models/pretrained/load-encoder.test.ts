import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { before, test } from 'node:test';
import { UserError } from '../../../src/core/errors.ts';
import type { NamedTensors } from '../../../src/core/safetensors.ts';
import { modelConfig } from '../../../src/models/config.ts';
import { isEncoderLayer } from '../../../src/models/encoder-layers.ts';
import type { EncoderName } from '../../../src/models/encoders/names.ts';
import { buildModel } from '../../../src/models/index.ts';
import { nameInEfficientNetPytorch, nameInTimm } from '../../../src/models/pretrained/efficientnet-names.ts';
import { loadEncoder } from '../../../src/models/pretrained/load-encoder.ts';
import type { PublishedWeights } from '../../../src/models/pretrained/read-file.ts';
import { readWeights } from '../../../src/models/weights.ts';
import { loadForTests } from '../../engine/load-for-tests.ts';
import { goldenEncoders } from '../encoders/golden-encoders.ts';
import { formulaInTorch, formulaWeight } from '../formula.ts';

before(loadForTests);

const networks = new Map<string, NamedTensors>();

/** A network's weights as they begin. */
function networkOf(encoder: EncoderName, decoder = 'unet'): NamedTensors {
  const known = networks.get(`${encoder} ${decoder}`);
  if (known !== undefined) return known;
  const model = buildModel(modelConfig.parse({ encoder, decoder }), 32, 1);
  const weights = readWeights(model);
  model.dispose();
  networks.set(`${encoder} ${decoder}`, weights);
  return weights;
}

const load = (encoder: EncoderName, network: NamedTensors, published: PublishedWeights, skip: string[] = []) =>
  loadEncoder(encoder, network, published, { where: 'a file', skip });

/** The formula's weights under the names that a network's package publishes, its classifier among them. */
function publishedByTorch(encoder: EncoderName): PublishedWeights {
  const network = networkOf(encoder);
  const arrays: NamedTensors = new Map();
  for (const [theirs, [ours, shape]] of Object.entries(goldenEncoders[encoder]!.published!)) {
    const size = shape.reduce((product, side) => product * side, 1);
    const array =
      ours === null ? { shape, data: new Float32Array(size) } : formulaInTorch(ours, network.get(ours)!.shape);
    assert.deepEqual(array.shape, shape, theirs);
    arrays.set(theirs, array);
  }
  return { origin: 'torch', arrays };
}

/** As Keras 3 saves a whole model: every kernel a kernel, statistics of its input, and the top. */
function publishedByKeras(
  encoder: EncoderName,
  input: { mean: readonly number[]; variance: readonly number[] },
): PublishedWeights {
  const arrays: NamedTensors = new Map();
  const vector = (values: readonly number[]) => ({ shape: [values.length], data: Float32Array.from(values) });
  arrays.set('normalization/mean', vector(input.mean));
  arrays.set('normalization/variance', vector(input.variance));
  arrays.set('normalization/count', { shape: [], data: new Float32Array(1) });
  for (const [name, { shape }] of networkOf(encoder)) {
    if (!isEncoderLayer(name) || name.startsWith('gray_to_rgb')) continue;
    arrays.set(name.replace('depthwise_', ''), { shape, data: formulaWeight(name, shape) });
  }
  arrays.set('top_conv/kernel', { shape: [1, 1, 320, 1280], data: new Float32Array(320 * 1280) });
  arrays.set('top_bn/gamma', vector([1]));
  return { origin: 'keras', arrays };
}

/** The encoder has the formula's weights, and the rest is as it was. */
function assertLoaded(network: NamedTensors, weights: NamedTensors): void {
  assert.deepEqual([...weights.keys()], [...network.keys()]);
  for (const [name, { shape, data }] of weights) {
    if (name.startsWith('gray_to_rgb/')) continue;
    const wanted = isEncoderLayer(name) ? formulaWeight(name, shape) : network.get(name)!.data;
    assert.ok(Buffer.from(data.buffer).equals(Buffer.from(wanted.buffer)), name);
  }
}

function assertInput(weights: NamedTensors, mean: readonly number[], std: readonly number[]): void {
  weights.get('gray_to_rgb/kernel')!.data.forEach((scale, channel) => {
    assert.ok(Math.abs(scale * 255 * std[channel]! - 1) < 1e-6);
    const shift = weights.get('gray_to_rgb/bias')!.data[channel]!;
    assert.ok(Math.abs(shift + mean[channel]! / std[channel]!) < 1e-6);
  });
}

const IMAGENET = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] };
const HALF = { mean: [0.5, 0.5, 0.5], std: [0.5, 0.5, 0.5] };
for (const [encoder, { mean, std }] of [
  ['resnet18', IMAGENET],
  ['efficientnet-lite0', HALF],
] as const) {
  test(`${encoder} takes what its package publishes, and its input's statistics`, () => {
    const network = networkOf(encoder);
    const { weights, notes } = load(encoder, network, publishedByTorch(encoder));
    assertLoaded(network, weights);
    assertInput(weights, mean, std);
    const told = notes.join('\n');
    assert.match(told, /arrays of the classifier not taken: .*(fc|classifier)/);
    assert.match(told, /counters of batches not taken/);
    assert.match(told, new RegExp(`${goldenEncoders[encoder]!.arrays} arrays from a file`));
  });
}

for (const [what, input, std] of [
  ['as Keras publishes it', { mean: IMAGENET.mean, variance: IMAGENET.std }, IMAGENET.std],
  ['without statistics of its own', { mean: [0, 0, 0], variance: [1, 1, 1] }, [1, 1, 1]],
  ['with variances', { mean: [0.5, 0.5, 0.5], variance: [0.04, 0.04, 0.04] }, [0.2, 0.2, 0.2]],
] as const) {
  test(`EfficientNet-B0 ${what} is taken, and normalized by its own layer`, () => {
    const network = networkOf('efficientnet-b0');
    const { weights, notes } = load('efficientnet-b0', network, publishedByKeras('efficientnet-b0', input));
    assertLoaded(network, weights);
    assertInput(weights, input.mean, std);
    assert.match(notes.join('\n'), /2 arrays of the classifier not taken: top_conv, top_bn/);
  });
}

test('a decoder that ends the encoder early takes what it has, and says what lies beyond', () => {
  const network = networkOf('efficientnet-b0', 'simplified-unetpp');
  const { weights, notes } = load(
    'efficientnet-b0',
    network,
    publishedByKeras('efficientnet-b0', { mean: [0, 0, 0], variance: [1, 1, 1] }),
  );
  assertLoaded(network, weights);
  const beyond = notes.find((note) => note.includes('beyond the encoder’s end'));
  assert.match(beyond!, /: block6a_dwconv, .*block7a_project_bn$/);
});

test('EfficientNet-B0 takes what timm publishes', () => {
  const text = readFileSync(new URL('../../golden/encoders-torch.json', import.meta.url), 'utf8');
  const shapes = (JSON.parse(text) as { tf_efficientnet_b0: Record<string, number[]> }).tf_efficientnet_b0;
  const arrays: NamedTensors = new Map();
  for (const [name, shape] of Object.entries(shapes)) {
    arrays.set(name, { shape, data: new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(1) });
  }
  const network = networkOf('efficientnet-b0');
  const { weights, notes } = load('efficientnet-b0', network, { origin: 'torch', arrays });
  for (const [name, { data }] of weights) {
    if (isEncoderLayer(name) && !name.startsWith('gray'))
      assert.ok(
        data.every((value) => value === 1),
        name,
      );
  }
  assert.match(notes.join('\n'), /^encoder +304 arrays from a file, as timm has them$/m);
});

test('layers have the names of efficientnet-pytorch, which counts blocks through', () => {
  const layers = ['stem_conv', 'block1a_dwconv', 'block2a_dwconv', 'block2b_se_reduce', 'block3a_project_bn'];
  const names = layers.map((layer) => nameInEfficientNetPytorch(layer, layers));
  const wanted = ['_conv_stem', '_blocks.0._depthwise_conv', '_blocks.1._depthwise_conv', '_blocks.2._se_reduce'];
  assert.deepEqual(names, [...wanted, '_blocks.3._bn2']);
  const lite = ['blocks.0.0.conv_pw', 'blocks.1.0.conv_pw', 'blocks.1.0.bn1'];
  const [first, second, third] = lite.map((layer) => nameInEfficientNetPytorch(layer, lite));
  assert.deepEqual([first, second, third], ['_blocks.0._project_conv', '_blocks.1._expand_conv', '_blocks.1._bn0']);
  for (const layer of lite) assert.equal(nameInTimm(layer), layer);
});

const refuses = (work: () => unknown, ...told: RegExp[]) =>
  assert.throws(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    for (const pattern of told) assert.match(error.message, pattern);
    return true;
  });

test('every array that is missing, left over or of another shape is listed, and none is taken', () => {
  const network = networkOf('resnet18');
  const published = publishedByTorch('resnet18');
  published.arrays.delete('layer1.0.conv1.weight');
  published.arrays.set('bn1.weight', { shape: [3], data: new Float32Array(3) });
  published.arrays.set('layer9.weight', { shape: [1], data: new Float32Array(1) });
  refuses(
    () => load('resnet18', network, published),
    /from a file but 3 of them do not/,
    /^ {2}layer1\.0\.conv1\/kernel: missing$/m,
    /^ {2}bn1\/gamma: shape \[3\] where the network has \[64\]$/m,
    /^ {2}layer9\.weight: not in this network$/m,
    /init\.skip/,
  );
});

test('what init.skip names is left as it is in the network, aloud', () => {
  const network = networkOf('resnet18');
  const published = publishedByTorch('resnet18');
  published.arrays.delete('layer1.0.conv1.weight');
  published.arrays.set('layer9.weight', { shape: [1], data: new Float32Array(1) });
  const { weights, notes } = load('resnet18', network, published, ['layer1.0.conv1', 'layer4.*', 'layer9']);
  assert.equal(weights.get('layer1.0.conv1/kernel'), network.get('layer1.0.conv1/kernel'));
  assert.equal(weights.get('layer4.0.bn1/gamma'), network.get('layer4.0.bn1/gamma'));
  assert.deepEqual(weights.get('layer3.0.bn1/gamma')!.data, formulaWeight('layer3.0.bn1/gamma', [256]));
  const told = notes.join('\n');
  assert.match(told, /arrays kept as they begin \(init\.skip\): layer1\.0\.conv1, layer4\.0\.conv1/);
  assert.match(told, /1 arrays not taken \(init\.skip\): layer9/);
  refuses(() => load('resnet18', network, published, ['layer1.0.conv1', 'layer9', 'layre*']), /"layre\*" names none/);
});

test('another encoder’s weights are refused', () => {
  const resnet = publishedByTorch('resnet18');
  refuses(
    () => load('efficientnet-b0', networkOf('efficientnet-b0'), resnet),
    /as Keras applications or timm or/,
    /conv1\.weight/,
  );
  // Lite1 is Lite0 with more blocks: all that Lite0 has is there, in the same shapes.
  const lite = publishedByTorch('efficientnet-lite0');
  for (const word of ['weight', 'bias']) {
    lite.arrays.set(`blocks.1.2.bn1.${word}`, { shape: [144], data: new Float32Array(144) });
  }
  refuses(
    () => load('efficientnet-lite0', networkOf('efficientnet-lite0'), lite),
    /blocks\.1\.2\.bn1\.weight: not in this network/,
  );
});
