import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import type { ExtraSetConfig } from '../../src/data/extra-sets.ts';
import { countWeighed, weighImages } from '../../src/data/extra-weights.ts';
import { ingest } from '../../src/data/ingest.ts';
import { openLoader } from '../../src/data/loader.ts';
import { openDataset } from '../../src/data/open-dataset.ts';
import {
  fixturePixels,
  put,
  recordingTerminal,
  SIDE,
  temporaryFolder,
  writeCompetition,
} from './fixture-competition.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let root = '';
let other = '';
before(async () => {
  folder = await temporaryFolder();
  root = join(folder.path, 'own');
  other = join(folder.path, 'other');
  await writeCompetition(
    root,
    [
      { id: '1.1', set: 'stage1-train' },
      { id: '1.2', set: 'stage1-train' },
      { id: 'ID_1', set: 'stage2-test' },
      { id: 'ID_2', set: 'stage2-test' },
    ],
    [
      ['1.1', '0 10'],
      ['1.2', '-1'],
    ],
  );
  const images = ['1.2', '9.1', '9.2', '9.3'].map((id) => ({ id, set: 'stage1-train' as const }));
  await writeCompetition(other, images, [
    ['1.2', '0 5'],
    ['9.1', '3 4'],
    ['9.2', '-1'],
  ]);
  for (const each of [root, other]) await ingest({ root: each }, silentTerminal);
  await put(root, 'pseudo.csv', 'ImageId,EncodedPixels\nID_1,7 9\n1.1,-1\n');
});
after(() => folder.remove());

const open = (extra: ExtraSetConfig[], terminal = silentTerminal) =>
  openDataset({ root, resolution: SIDE, extra }, terminal);

test('extra images come behind the own ones with their own labels, pixels and weight', async () => {
  const terminal = recordingTerminal();
  const dataset = await open(
    [
      { root: other, weight: 2 },
      { root, labels: join(root, 'pseudo.csv'), weight: 0.5 },
    ],
    terminal,
  );
  assert.deepEqual(
    dataset.images.map(({ id, truth, weight }) => [id, truth && [...truth], weight]),
    [
      ['1.1', [0, 10], undefined],
      ['1.2', [], undefined],
      ['ID_1', undefined, undefined],
      ['ID_2', undefined, undefined],
      ['9.1', [3, 7], 2],
      ['9.2', [], 2],
      ['ID_1', [7, 16], 0.5],
    ],
  );
  for (const [index, { id }] of dataset.images.entries()) {
    const wanted = fixturePixels(id);
    assert.ok(Math.max(...dataset.readPixels(index).map((value, i) => Math.abs(value - wanted[i]!))) <= 4, id);
  }
  // 1.2 is labelled by the data set itself, 9.3 by nobody; of the pseudo-labels 1.1 is the data set's own.
  assert.match(
    terminal.lines[0]!,
    /2 images, 1 positive, weight 2; left out: 1 that .* itself or has already, 1 without/,
  );
  assert.match(terminal.lines[1]!, /1 images, 1 positive, weight 0\.5; left out: 1 that/);
  dataset.close();
});

test('threads load extra images from their own caches', async () => {
  const dataset = await open([{ root: other, weight: 1 }]);
  const loader = openLoader(dataset, { workers: 1, signal: new AbortController().signal });
  for await (const batch of loader.orderedBatches([4, 0], 2)) {
    assert.deepEqual(batch.ids, ['9.1', '1.1']);
    assert.deepEqual(batch.images.slice(0, SIDE * SIDE), dataset.readPixels(4));
    assert.deepEqual(batch.images.slice(SIDE * SIDE), dataset.readPixels(0));
  }
  await loader.close();
  dataset.close();
});

test('the digest of the own data is that without extra sets; the extra ones have their own', async () => {
  const digests = [];
  for (const extra of [[], [{ root: other, weight: 1 }], [{ root: other, weight: 2 }]]) {
    const dataset = await open(extra);
    digests.push([dataset.digest, dataset.extraDigest]);
    dataset.close();
  }
  assert.equal(new Set(digests.map(([own]) => own)).size, 1);
  assert.equal(new Set(digests.map(([, extra]) => extra)).size, 3);
  assert.equal(digests[0]![1], undefined);
});

test('a set that adds nothing, and one that is not ingested, are refused', async () => {
  const labels = join(root, 'pseudo.csv');
  await assert.rejects(open([{ root: other, labels, weight: 1 }]), (error: Error) => {
    assert.ok(error instanceof UserError);
    assert.match(error.message, /images that the data set does not label itself for the extra set .*other/);
    return true;
  });
  await assert.rejects(open([{ root: join(folder.path, 'absent'), weight: 1 }]), /npm run ingest/);
});

test('weights are how often an epoch draws an image', () => {
  const weights = [undefined, undefined, 2, 0.5, 0.5, 0.5, 0.5, 1.25, 1.25, 1.25, 1.25];
  const images = weights.map((weight) => (weight === undefined ? {} : { weight }));
  const all = weights.map((_, index) => index);
  // 2 own + 2·1 + 0.5·4 + 1.25·4
  assert.equal(countWeighed(images, all), 2 + 2 + 2 + 5);
  const drawn = new Map<number, number>();
  const epochs = 400;
  for (let epoch = 0; epoch < epochs; epoch++) {
    const order = weighImages(images, all, { seed: 1, epoch });
    assert.equal(order.length, countWeighed(images, all));
    for (const index of order) drawn.set(index, (drawn.get(index) ?? 0) + 1);
  }
  for (const index of all) {
    // A share of a half has a standard deviation of 0.025 over 400 epochs.
    assert.ok(Math.abs(drawn.get(index)! / epochs - (weights[index] ?? 1)) < 0.1, `image ${index}`);
  }
  assert.deepEqual(weighImages(images, all, { seed: 1, epoch: 3 }), weighImages(images, all, { seed: 1, epoch: 3 }));
  assert.deepEqual(
    weighImages([{}, {}], [1, 0], { seed: 1, epoch: 0 }),
    [1, 0],
    'without extra images nothing changes',
  );
});
