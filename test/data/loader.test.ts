import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, test } from 'node:test';
import type { AugmentConfig } from '../../src/augment/index.ts';
import type { Batch } from '../../src/data/batch.ts';
import { type EpochOptions, type Loader, openLoader } from '../../src/data/loader.ts';
import { collect, indices, RESOLUTION, writeDataset } from './loader-fixture.ts';

const COUNT = 23;
const UNLABELLED = 21;
const labelled = indices(COUNT).filter((index) => index !== UNLABELLED);
const { signal } = new AbortController();

function truthOf(i: number): Int32Array | undefined {
  if (i === UNLABELLED) return undefined;
  if (i % 4 !== 0) return new Int32Array(0);
  return Int32Array.of(1000 * i + 300, 1000 * i + 900, 300_000, 300_000 + 1024 * 200 + 17 * i);
}

let dataset: Awaited<ReturnType<typeof writeDataset>>;
let loaders: Loader[];
before(async () => {
  dataset = await writeDataset(COUNT, truthOf, (index, at) => (index * 37 + at * 11 + (at >> 5) * 3) % 256);
  loaders = [1, 3].map((workers) => openLoader(dataset, { workers, signal }));
});
after(async () => {
  await Promise.all(loaders.map((loader) => loader.close()));
  await dataset.remove();
});

const augment: AugmentConfig[] = [
  { name: 'hflip', p: 0.5 },
  { name: 'brightness_contrast', p: 0.5, brightness: 0.2, contrast: 0.2 },
];
const epoch: EpochOptions = { batchSize: 3, sampler: { positive_fraction: 0.5 }, augment, seed: 7, epoch: 0 };

function digest(batches: readonly Batch[]): string {
  const hash = createHash('sha256');
  for (const { ids, images, masks } of batches) hash.update(ids.join()).update(images).update(masks);
  return hash.digest('hex');
}

test('a seed gives the bytes that it has always given, whatever the number of threads', async () => {
  // Made by the loader that had no threads: whoever changes these says so in CHANGELOG.md.
  const wanted = [
    '396da0feb48e6beb8af3472407f69178c879310b67c90bf136998213ea2d5260',
    'c4e596a4c0afde225eda921f684b4515f1958181a8f9279a5f6b01342bbbb7fb',
    'd4510a39b3da81a62f01e09aeab0f493dcc10a5a52f92014c2a1c82ff6b67184',
  ];
  for (const loader of loaders) {
    const digests = [
      digest(await collect(loader.trainingBatches(labelled, epoch))),
      digest(await collect(loader.trainingBatches(labelled, { ...epoch, epoch: 1 }))),
      digest(await collect(loader.orderedBatches(indices(COUNT), 4))),
    ];
    assert.deepEqual(digests, wanted);
  }
});

test('an epoch has whole batches of different images, in another order each epoch', async () => {
  const idsOf = async (number: number) => {
    const options = { ...epoch, sampler: undefined, epoch: number };
    const batches = await collect(loaders[0]!.trainingBatches(indices(11), options));
    return batches.map(({ ids }) => ids);
  };
  const first = await idsOf(0);
  assert.equal(first.length, 3); // ⌊11 / 3⌋
  assert.equal(new Set(first.flat()).size, 9);
  assert.deepEqual(await idsOf(0), first);
  assert.notDeepEqual(await idsOf(1), first);
});

test('validation goes through all images in order, without augmentation, an unlabelled one without a mask', async () => {
  const order = [UNLABELLED, 4, 2, 0, 7];
  const batches = await collect(loaders[1]!.orderedBatches(order, 2));
  assert.deepEqual(
    batches.map(({ ids, count }) => [ids.length, count]),
    [
      [2, 2],
      [2, 2],
      [1, 1],
    ],
  );
  const area = RESOLUTION ** 2;
  const samples = batches.flatMap(({ ids, images, masks }) =>
    ids.map((id, place) => ({
      id,
      image: images.subarray(place * area, (place + 1) * area),
      positive: masks.subarray(place * area, (place + 1) * area).includes(1),
    })),
  );
  order.forEach((index, place) => {
    assert.equal(samples[place]!.id, `image-${index}`);
    assert.deepEqual(samples[place]!.image, dataset.readPixels(index));
    assert.equal(samples[place]!.positive, (truthOf(index)?.length ?? 0) > 0);
  });
});

test('batches share memory of a few, and passes of other sizes follow one another', async () => {
  const loader = loaders[1]!;
  const buffers = new Set<ArrayBufferLike>();
  const places = new Set<number>();
  for (const batchSize of [2, 5, 2]) {
    for await (const batch of loader.orderedBatches(labelled, batchSize)) {
      buffers.add(batch.images.buffer);
      if (batchSize === 2) places.add(batch.images.byteOffset);
      assert.equal(batch.images.length, batch.count * RESOLUTION ** 2);
      assert.ok(batch.images.buffer instanceof SharedArrayBuffer);
    }
  }
  assert.ok(buffers.size <= 2, 'grown once at most');
  assert.ok(places.size < labelled.length / 2, 'slots are used again');
});

test('a pass that is left early leaves nothing behind for the next one', async () => {
  const loader = loaders[1]!;
  for await (const _ of loader.trainingBatches(labelled, epoch)) break;
  const after = digest(await collect(loader.orderedBatches(labelled, 4)));
  assert.equal(after, digest(await collect(loaders[0]!.orderedBatches(labelled, 4))));
  assert.deepEqual(await collect(loader.orderedBatches([], 4)), []);
});

test('two passes at once are refused', async () => {
  const loader = loaders[0]!;
  const first = loader.orderedBatches(labelled, 2);
  await first.next();
  await assert.rejects(loader.orderedBatches(labelled, 2).next(), /one pass of a loader at a time/);
  await first.return();
  assert.equal((await collect(loader.orderedBatches(labelled, 2))).length, 11);
});
