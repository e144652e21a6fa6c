import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { augment } from '../../src/augment/index.ts';
import { type RandomCropZoomConfig, randomCropZoomConfig } from '../../src/augment/random-crop-zoom.ts';
import { createRng } from '../../src/core/random.ts';

const zoom = (config: Partial<RandomCropZoomConfig> = {}): RandomCropZoomConfig => ({
  name: 'random_crop_zoom',
  p: 1,
  scale: [0.8, 1],
  ...config,
});

/** The numbers that the step draws, in its order. */
function drawCrop(seed: number, size: number, [least, most]: [number, number]) {
  const rng = createRng(seed);
  rng.chance(1);
  const side = Math.max(1, Math.round(rng.between(least, most) * size));
  return { side, left: rng.integer(0, size - side), top: rng.integer(0, size - side) };
}

const shares = fc
  .tuple(fc.double({ min: 0.1, max: 1, noNaN: true }), fc.double({ min: 0.1, max: 1, noNaN: true }))
  .map(([a, b]): [number, number] => [Math.min(a, b), Math.max(a, b)]);

test('pixels are those of a cut resized with half-pixel centres', () => {
  fc.assert(
    fc.property(fc.nat(1000), fc.integer({ min: 1, max: 24 }), shares, (seed, size, scale) => {
      const before = Uint8Array.from({ length: size * size }, (_, i) => (i * 97 + Math.floor(i / size) * 31) % 256);
      const mask = before.map((value) => value & 1);
      const sample = { size, image: before.slice(), mask: mask.slice() };
      augment([zoom({ scale })], sample, createRng(seed));
      const { side, left, top } = drawCrop(seed, size, scale);
      const inside = (at: number) => Math.min(side - 1, Math.max(0, at));
      const pixel = (row: number, column: number) => before[(top + inside(row)) * size + left + inside(column)]!;
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          const [row, column] = [((y + 0.5) * side) / size - 0.5, ((x + 0.5) * side) / size - 0.5];
          // The four neighbours, each by the area that it shares with the pixel.
          let wanted = 0;
          for (const r of [Math.floor(row), Math.floor(row) + 1]) {
            for (const c of [Math.floor(column), Math.floor(column) + 1]) {
              wanted += (1 - Math.abs(row - r)) * (1 - Math.abs(column - c)) * pixel(r, c);
            }
          }
          assert.ok(Math.abs(sample.image[y * size + x]! - wanted) <= 0.5 + 1e-6);
          const nearest = (top + Math.floor(row + 0.5)) * size + left + Math.floor(column + 0.5);
          assert.equal(sample.mask[y * size + x], mask[nearest]);
        }
      }
    }),
  );
});

test('image and mask stay aligned: an edge in one is where it is in the other', () => {
  const anyBand = fc.tuple(fc.nat(63), fc.nat(63)).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
  fc.assert(
    fc.property(fc.nat(1000), shares, anyBand, fc.boolean(), (seed, scale, [from, to], upright) => {
      const size = 64;
      const mask = Uint8Array.from({ length: size * size }, (_, i) => {
        const at = upright ? i % size : Math.floor(i / size);
        return at >= from && at < to ? 1 : 0;
      });
      const sample = { size, image: mask.map((value) => 254 * value), mask };
      augment([zoom({ scale })], sample, createRng(seed));
      for (let i = 0; i < size * size; i++) {
        // 127 is half-way, where either answer is right.
        if (sample.image[i] !== 127) assert.equal(sample.mask[i], sample.image[i]! > 127 ? 1 : 0);
      }
    }),
  );
});

test('scale 1 changes nothing, and a smaller one enlarges', () => {
  const size = 32;
  const make = () => ({
    size,
    image: Uint8Array.from({ length: size * size }, (_, i) => (i * 13) % 251),
    mask: Uint8Array.from({ length: size * size }, (_, i) => (i % 5 === 0 ? 1 : 0)),
  });
  const same = make();
  augment([zoom({ scale: [1, 1] })], same, createRng(4));
  assert.deepEqual(same, make());
  const flat = { size, image: new Uint8Array(size * size).fill(77), mask: new Uint8Array(size * size).fill(1) };
  augment([zoom({ scale: [0.5, 0.5] })], flat, createRng(4));
  assert.ok(flat.image.every((value) => value === 77) && flat.mask.every((value) => value === 1));
});

test('the squares differ in size and place, and reach every rim', () => {
  const size = 16;
  const seen = new Set<string>();
  for (let seed = 0; seed < 200; seed++) {
    // Each pixel says where it is from; the cut keeps its corner pixels.
    const rows = Uint8Array.from({ length: size * size }, (_, i) => Math.floor(i / size));
    const sample = { size, image: rows, mask: new Uint8Array(size * size) };
    augment([zoom()], sample, createRng(seed));
    seen.add(`${sample.image[0]}-${sample.image.at(-1)}`);
  }
  // Sides 13 to 16: first rows 0 to 16 − side, last rows 12 to 15.
  for (const rim of ['0-12', '3-15', '0-15', '1-15', '0-14']) assert.ok(seen.has(rim), `${rim} in ${[...seen]}`);
});

test('a scale that is no pair of shares in order is refused', () => {
  const parse = (scale: unknown) => randomCropZoomConfig.safeParse({ name: 'random_crop_zoom', scale });
  for (const wrong of [[0.9, 0.8], [0, 1], [0.8, 1.1], [0.8], [0.8, 0.9, 1], 0.8, ['a', 1]]) {
    assert.equal(parse(wrong).success, false, JSON.stringify(wrong));
  }
  assert.equal(parse([0.8, 0.8]).success, true);
  assert.deepEqual(randomCropZoomConfig.parse({ name: 'random_crop_zoom' }), zoom({ p: 0.5 }));
});
