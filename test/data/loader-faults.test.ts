import assert from 'node:assert/strict';
import { rm, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { openLoader } from '../../src/data/loader.ts';
import { type LoaderJob, type LoaderSetup, passBytes } from '../../src/data/loader-job.ts';
import { createQueue, isWhole, releaseBatch } from '../../src/data/loader-queue.ts';
import { startThreads } from '../../src/data/loader-threads.ts';
import { shareTruth } from '../../src/data/loader-truth.ts';
import { readImports } from '../house/layers.ts';
import { readSources } from '../house/source-files.ts';
import { collect, indices, RESOLUTION, writeDataset } from './loader-fixture.ts';

const { signal } = new AbortController();
const fewImages = () =>
  writeDataset(
    12,
    () => new Int32Array(0),
    (index) => index,
  );

test('threads run ahead while the main thread is blocked, as it is during a step', async () => {
  const dataset = await fewImages();
  const setup: LoaderSetup = {
    pixelsPath: dataset.pixelsPath,
    resolution: RESOLUTION,
    truth: shareTruth(dataset.images),
  };
  const worker = new URL('../../src/data/loader-worker.ts', import.meta.url);
  const threads = startThreads<LoaderJob>(worker, setup, { count: 2, signal });
  const queue = createQueue({ images: 12, batchSize: 2, slots: 3 }, 2);
  const memory = new SharedArrayBuffer(passBytes(queue, RESOLUTION));
  threads.give({ queue, memory, order: Int32Array.from(indices(12)), augmentation: undefined });
  // From here to the end of the loop this thread's event loop does not turn once.
  const nap = new Int32Array(new SharedArrayBuffer(4));
  const deadline = performance.now() + 60_000;
  for (let batch = 0; batch < 6; batch++) {
    while (!isWhole(queue, batch) && performance.now() < deadline) Atomics.wait(nap, 0, 0, 1);
    assert.ok(isWhole(queue, batch), `batch ${batch}`);
    const images = new Uint8Array(memory, (batch % 3) * 4 * RESOLUTION ** 2);
    assert.deepEqual([images[0], images[RESOLUTION ** 2]], [2 * batch, 2 * batch + 1]);
    releaseBatch(queue);
  }
  await threads.close();
  await dataset.remove();
});

test('a cache that is cut short is one error, and every later pass repeats it', async () => {
  const dataset = await fewImages();
  const loader = openLoader(dataset, { workers: 2, signal });
  assert.equal((await collect(loader.orderedBatches(indices(12), 4))).length, 3);
  await truncate(dataset.pixelsPath, 7 * RESOLUTION ** 2 + 5);
  const message = /Expected 1024 bytes of image \d+ for .*images\.pixels but received \d+\. It is cut short/;
  await assert.rejects(collect(loader.orderedBatches(indices(12), 4)), message);
  await assert.rejects(collect(loader.orderedBatches([0], 4)), message);
  await loader.close();
  await dataset.remove();
});

test('a cache that is gone is an error that names it', async () => {
  const dataset = await fewImages();
  await rm(dataset.pixelsPath);
  const loader = openLoader(dataset, { workers: 2, signal });
  await assert.rejects(collect(loader.orderedBatches(indices(12), 4)), /ENOENT.*images\.pixels/);
  await loader.close();
  await dataset.remove();
});

test('a disk that refuses to read is an error that names the file', async () => {
  const dataset = await fewImages();
  // A folder can be opened, but not read.
  const loader = openLoader({ ...dataset, pixelsPath: dataset.root }, { workers: 1, signal });
  await assert.rejects(collect(loader.orderedBatches(indices(12), 4)), /loader-.* cannot be read: EISDIR/);
  await loader.close();
  await dataset.remove();
});

test('an abort ends the pass with its reason', async () => {
  const dataset = await fewImages();
  const stop = new AbortController();
  const loader = openLoader(dataset, { workers: 2, signal: stop.signal });
  const reason = new Error('stop here');
  const reading = async () => {
    for await (const _ of loader.orderedBatches(indices(12), 1)) stop.abort(reason);
  };
  await assert.rejects(reading(), (error) => error === reason);
  await loader.close();
  await dataset.remove();
});

test('closing ends a pass that is under way', async () => {
  const dataset = await fewImages();
  const loader = openLoader(dataset, { workers: 1, signal });
  const batches = loader.orderedBatches(indices(12), 1);
  await batches.next();
  await loader.close();
  await assert.rejects(batches.next(), /it was closed/);
  await dataset.remove();
});

test('the threads never load TensorFlow', () => {
  const sources = new Map(readSources().map(({ path, text }) => [path, text]));
  const seen = new Set<string>();
  const visit = (path: string) => {
    if (seen.has(path)) return;
    seen.add(path);
    for (const { from, typeOnly } of readImports(sources.get(path)!)) {
      if (typeOnly) continue;
      assert.doesNotMatch(from, /@tensorflow|engine\//, path);
      if (from.startsWith('.')) visit(join(path, '..', from));
    }
  };
  visit('data/loader-worker.ts');
  assert.ok(seen.has('augment/hflip.ts') && seen.size > 8, 'it was followed');
});
