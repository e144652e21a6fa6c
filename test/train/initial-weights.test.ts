import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseExperiment } from '../../src/config/experiment.ts';
import { initConfig } from '../../src/config/init.ts';
import { writeFileAtomic } from '../../src/core/atomic-file.ts';
import { UserError } from '../../src/core/errors.ts';
import type { NamedTensors } from '../../src/core/safetensors.ts';
import { findPublished, publishedPath } from '../../src/models/pretrained/registry.ts';
import { findEncoderFile, fitInitialWeights } from '../../src/train/initial-weights.ts';
import { PROJECT } from '../house/source-files.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'initial-'));
});
after(async () => await rm(folder, { recursive: true }));

const filled = (value: number, layers: Record<string, number[]>): NamedTensors =>
  new Map(
    Object.entries(layers).map(([name, shape]) => [
      name,
      { shape, data: new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(value) },
    ]),
  );
const NETWORK = filled(0, {
  'stem/kernel': [2],
  'decoder1_conv/kernel': [2],
  'decoder2_conv/kernel': [2],
  'logits/bias': [1],
});
const fromRun = (weights: NamedTensors, skip: string[] = []) =>
  fitInitialWeights({ of: 'network', where: 'a run', weights, skip }, NETWORK);
const firstOf = (weights: NamedTensors) => [...weights].map(([name, { data }]) => `${name}=${data[0]}`);

test('a run’s weights are taken by name where all of them fit', () => {
  const given = filled(1, {
    'logits/bias': [1],
    'stem/kernel': [2],
    'decoder2_conv/kernel': [2],
    'decoder1_conv/kernel': [2],
  });
  const { weights, notes } = fromRun(given);
  assert.deepEqual(firstOf(weights), [
    'stem/kernel=1',
    'decoder1_conv/kernel=1',
    'decoder2_conv/kernel=1',
    'logits/bias=1',
  ]);
  assert.deepEqual(notes, []);
});

test('what does not fit is listed and refused, and taken without where init.skip names it', () => {
  const given = filled(1, { 'stem/kernel': [2], 'decoder1_conv/kernel': [3], 'old/kernel': [1], 'logits/bias': [1] });
  assert.throws(
    () => fromRun(given),
    (error) => {
      assert.ok(error instanceof UserError);
      assert.deepEqual(error.message.split('\n').slice(1, -1), [
        '  decoder1_conv/kernel: shape [3] where the network has [2]',
        '  decoder2_conv/kernel: missing',
        '  old/kernel: not in this network',
      ]);
      assert.match(error.message, /from a run but 3 of them do not.*3 layers in init\.skip/s);
      return true;
    },
  );
  const { weights, notes } = fromRun(given, ['decoder*', 'old']);
  assert.deepEqual(firstOf(weights), [
    'stem/kernel=1',
    'decoder1_conv/kernel=0',
    'decoder2_conv/kernel=0',
    'logits/bias=1',
  ]);
  assert.deepEqual(notes, [
    '2 arrays kept as they begin (init.skip): decoder1_conv, decoder2_conv',
    '1 arrays not taken (init.skip): old',
  ]);
  assert.throws(() => fromRun(given, ['decoder*', 'old', 'decoder7*']), /"decoder7\*" names none/);
  // A dot is a dot, and a pattern is the whole layer's.
  assert.throws(() => fromRun(given, ['decoder', 'st.m']), /names none/);
});

test('init is a run or a file, and says which', async () => {
  assert.deepEqual(initConfig.parse({ from: 'x', skip: ['a'] }), { from: 'x', checkpoint: 'best-dice', skip: ['a'] });
  assert.deepEqual(initConfig.parse({ encoder: 'imagenet' }), { encoder: 'imagenet' });
  const file = join(PROJECT, 'experiments/quickstart.yml');
  for (const [init, told] of [
    ['{ skip: [a] }', /either from \(a run\) or encoder \(a file of weights\) for init/],
    ['{ from: a, encoder: b }', /either from .* for init/],
    ['{ encoder: b, checkpoint: last }', /no checkpoint beside encoder for init\.checkpoint/],
    ['{ encodre: b }', /Did you mean encoder\?/],
  ] as const) {
    await assert.rejects(parseExperiment(file, { init }, PROJECT), told);
  }
});

test('init.encoder is a file as it was typed, or the published one that was fetched', async () => {
  const places = { cwd: folder, cacheDir: join(folder, 'cache') };
  await writeFile(join(folder, 'my.pth'), '');
  assert.equal(findEncoderFile('my.pth', 'resnet34', places), join(folder, 'my.pth'));
  assert.throws(() => findEncoderFile('your.pth', 'resnet34', places), /your\.pth.*npm run weights fetch resnet34/);
  assert.throws(() => findEncoderFile('imagenet', 'resnet34', places), /npm run weights fetch resnet34 brings it/);
  const path = publishedPath(findPublished('resnet34'), places.cacheDir);
  await writeFileAtomic(path, '');
  assert.equal(dirname(path), join(folder, 'cache', 'weights'));
  assert.equal(findEncoderFile('imagenet', 'resnet34', places), path);
});
