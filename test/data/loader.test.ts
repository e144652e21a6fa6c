import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { maskToRuns } from '../../src/core/rle.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { orderedBatches, trainingBatches } from '../../src/data/loader.ts';
import { sampleEpoch } from '../../src/data/sampler.ts';
import { maskAtResolution } from '../../src/data/training-mask.ts';

const RESOLUTION = 32;

/** Images of one grey level each; every fourth is positive. */
function makeDataset(count: number): Dataset {
  const images = Array.from({ length: count }, (_, i) => ({
    id: `image-${i}`,
    set: 'stage1-train' as const,
    patientId: '',
    truth: i % 4 === 0 ? Int32Array.of(0, 1024 * 512) : new Int32Array(0),
  }));
  const readPixels = (index: number) => new Uint8Array(RESOLUTION * RESOLUTION).fill(index);
  return { root: '', resolution: RESOLUTION, digest: '', images, readPixels, close: () => {} };
}

const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
const options = { batchSize: 3, sampler: undefined, augment: [], seed: 1, epoch: 0 };

test('an epoch has whole batches of different images, in another order each epoch', () => {
  const dataset = makeDataset(11);
  const epoch = (number: number) =>
    [...trainingBatches(dataset, indices(11), { ...options, epoch: number })].map(({ ids }) => ids);
  const first = epoch(0);
  assert.equal(first.length, 3); // ⌊11 / 3⌋
  assert.equal(new Set(first.flat()).size, 9);
  assert.deepEqual(epoch(0), first);
  assert.notDeepEqual(epoch(1), first);
});

test('pixels and masks are those of the ids', () => {
  const dataset = makeDataset(8);
  for (const { ids, images, masks } of trainingBatches(dataset, indices(8), options)) {
    ids.forEach((id, place) => {
      const index = Number(id.split('-')[1]);
      assert.equal(images[place * RESOLUTION ** 2], index);
      const area = masks.subarray(place * RESOLUTION ** 2, (place + 1) * RESOLUTION ** 2).reduce((a, b) => a + b, 0);
      // The first 512 of 1,024 columns.
      assert.equal(area, index % 4 === 0 ? RESOLUTION * (RESOLUTION / 2) : 0);
    });
  }
});

test('validation goes through all images in order', () => {
  const batches = [...orderedBatches(makeDataset(5), [4, 2, 0], 2)];
  assert.deepEqual(
    batches.map(({ ids }) => ids),
    [['image-4', 'image-2'], ['image-0']],
  );
});

test('a positive fraction is met, and every positive is seen before one comes again', () => {
  const isPositive = (index: number) => index < 10;
  const epoch = sampleEpoch(indices(100), isPositive, { config: { positive_fraction: 0.5 }, seed: 1, epoch: 3 });
  assert.equal(epoch.length, 100);
  const seen = indices(10).map((index) => epoch.filter((other) => other === index).length);
  assert.deepEqual(seen, Array(10).fill(50 / 10));
});

test('a mask at another resolution is where at least half of a pixel is inside', () => {
  const anyMask = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 144, maxLength: 144 });
  fc.assert(
    fc.property(anyMask, fc.constantFrom(4, 6, 8, 9, 12), (pixels, resolution) => {
      const runs = maskToRuns({ width: 12, height: 12, data: Uint8Array.from(pixels) });
      const mask = maskAtResolution(runs, resolution, 12);
      const scale = 12 / resolution;
      const overlap = (from: number, to: number) =>
        Math.max(0, Math.min(from + 1, (to + 1) * scale) - Math.max(from, to * scale));
      mask.forEach((value, target) => {
        const [x, y] = [target % resolution, Math.floor(target / resolution)];
        let inside = 0;
        pixels.forEach((pixel, i) => {
          inside += pixel * overlap(i % 12, x) * overlap(Math.floor(i / 12), y);
        });
        assert.equal(value, inside >= (scale * scale) / 2 - 1e-9 ? 1 : 0);
      });
    }),
  );
});
