import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { UserError } from '../../../src/core/errors.ts';
import { readPublishedWeights } from '../../../src/models/pretrained/read-file.ts';
import { formulaInTorch, formulaWeight } from '../formula.ts';

const pathOf = (file: string) => fileURLToPath(new URL(`../../golden/weights/${file}`, import.meta.url));

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weights-'));
});
after(async () => await rm(folder, { recursive: true }));

/** The arrays of test/golden/weights-keras.py by their place in their layers. */
const KERAS: [layer: string, weights: [name: string, shape: number[]][]][] = [
  ['stem_conv', [['kernel', [3, 3, 3, 4]]]],
  ['stem_bn', ['gamma', 'beta', 'moving_mean', 'moving_variance'].map((name) => [name, [4]])],
  ['block1a_dwconv', [['depthwise_kernel', [3, 3, 4, 1]]]],
  [
    'block1a_se_reduce',
    [
      ['kernel', [1, 1, 4, 2]],
      ['bias', [2]],
    ],
  ],
];
const NORMALIZATION: Record<string, number[]> = {
  mean: [0.485, 0.456, 0.406],
  variance: [0.229, 0.224, 0.225],
  count: [0],
};

for (const [file, nameOf] of [
  // Keras 3 calls every kernel a kernel.
  ['tiny.h5', (name: string) => name.replace('depthwise_', '')],
  ['tiny-keras2.h5', (name: string) => name],
  ['tiny.weights.h5', (_: string, place: number) => String(place)],
  ['tiny.keras', (_: string, place: number) => String(place)],
] as const) {
  test(`${file} is read by name`, async () => {
    const { origin, arrays } = await readPublishedWeights(pathOf(file));
    assert.equal(origin, 'keras');
    const left = new Map(arrays);
    for (const [layer, weights] of KERAS) {
      weights.forEach(([name, shape], place) => {
        const key = `${layer}/${nameOf(name, place)}`;
        assert.deepEqual(left.get(key), { shape, data: formulaWeight(`${layer}/${name}`, shape) }, key);
        left.delete(key);
      });
    }
    Object.entries(NORMALIZATION).forEach(([name, values], place) => {
      const key = `normalization/${nameOf(name, place)}`;
      assert.deepEqual(left.get(key)?.data, Float32Array.from(values), key);
      left.delete(key);
    });
    assert.deepEqual([...left.keys()], []);
  });
}

const vector = (name: string) => ({ shape: [4], data: formulaWeight(name, [4]) });
const TORCH = new Map([
  ['conv1.weight', formulaInTorch('conv1/kernel', [3, 3, 3, 4])],
  ['bn1.weight', vector('bn1/gamma')],
  ['bn1.bias', vector('bn1/beta')],
  ['bn1.running_mean', vector('bn1/moving_mean')],
  ['bn1.running_var', vector('bn1/moving_variance')],
  ['bn1.num_batches_tracked', { shape: [], data: Float32Array.of(0) }],
  ['conv_dw.weight', formulaInTorch('conv_dw/depthwise_kernel', [3, 3, 4, 1])],
  ['conv_dw.bias', vector('conv_dw/bias')],
  ['fc.weight', { shape: [2, 4], data: formulaWeight('fc/kernel', [2, 4]) }],
  ['fc.bias', { shape: [2], data: new Float32Array(2) }],
]);

for (const file of ['tiny.pth', 'tiny-legacy.pth', 'tiny.safetensors']) {
  test(`${file} is read by name, whatever the order of its axes in memory`, async () => {
    const { origin, arrays } = await readPublishedWeights(pathOf(file));
    assert.equal(origin, 'torch');
    assert.deepEqual(new Map([...arrays].sort()), new Map([...TORCH].sort()));
  });
}

test('numbers of 16 bits are read too', async () => {
  const { arrays } = await readPublishedWeights(pathOf('tiny-half.pth'));
  for (const [name, { shape, data }] of TORCH) {
    const read = arrays.get(name)!;
    assert.deepEqual(read.shape, shape);
    // Ten bits of fraction: half of the last one is 2⁻¹¹ of the value.
    read.data.forEach((value, i) => {
      assert.ok(Math.abs(value - data[i]!) <= 2 ** -11 * Math.abs(data[i]!), name);
    });
  }
});

const refuses = async (path: string, why: RegExp) =>
  await assert.rejects(readPublishedWeights(path), (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.ok(error.message.includes(path), error.message);
    assert.match(error.message, why);
    return true;
  });

test('a whole model is refused with what to save, and code is not run', async () => {
  await refuses(pathOf('tiny-model.pth'), /"__main__\.Tiny".*model\.state_dict\(\)/);
  // os.system('touch <file>') as a pickle: GLOBAL, the argument in a tuple, REDUCE.
  const path = join(folder, 'evil.pth');
  const victim = join(folder, 'was-run');
  const text = Buffer.from(`touch ${victim}`);
  const argument = Buffer.concat([Buffer.from([0x58, text.length, 0, 0, 0]), text, Buffer.from([0x85])]);
  const pickle = [Buffer.from([0x80, 2]), Buffer.from('cos\nsystem\n'), argument, Buffer.from('R.')];
  await writeFile(path, Buffer.concat(pickle));
  await refuses(path, /tensors and plain containers .*"os\.system"/);
  await assert.rejects(readFile(victim), /ENOENT/);
});

test('files cut anywhere, and other files, are refused by name', async () => {
  for (const file of ['tiny.h5', 'tiny.keras', 'tiny.pth', 'tiny-legacy.pth', 'tiny.safetensors']) {
    const bytes = await readFile(pathOf(file));
    const path = join(folder, `cut-${file}`);
    for (const share of [0, 0.01, 0.1, 0.3, 0.6, 0.9]) {
      await writeFile(path, bytes.subarray(0, Math.floor(share * bytes.length)));
      await refuses(path, /cannot be read/);
    }
  }
  const path = join(folder, 'notes.h5');
  await writeFile(path, 'not weights at all');
  await refuses(path, /first bytes.*6e6f7420/);
});

test('a tensor that reaches beyond its storage is refused', async () => {
  const bytes = await readFile(pathOf('tiny-legacy.pth'));
  // The shape of fc.weight, (2, 4), as BININT1s in a tuple; its strides are (4, 1).
  const shape = Buffer.from([0x4b, 2, 0x4b, 4, 0x86]);
  const at = bytes.indexOf(shape);
  assert.ok(at > 0);
  bytes[at + 1] = 200;
  const path = join(folder, 'beyond.pth');
  await writeFile(path, bytes);
  await refuses(path, /3200 bytes for the storage of fc\.weight but received 32/);
});
