import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { anyInside, type Border, PIXEL, remap } from '../../src/augment/remap.ts';

const makeSample = (size: number) => {
  const image = Uint8Array.from({ length: size * size }, (_, i) => (i * 97 + Math.floor(i / size) * 31) % 256);
  return { size, image, mask: image.map((level) => level & 1) };
};

/** The index that a pixel outside of the image stands for, or undefined where it is black. */
function indexOf(at: number, size: number, border: Border): number | undefined {
  if (at >= 0 && at < size) return at;
  if (border === 'constant') return undefined;
  if (size === 1) return 0;
  return indexOf(at < 0 ? -at : 2 * (size - 1) - at, size, border);
}

/** The four neighbours of a place, each by the area that it shares with it, in plain numbers. */
function bilinear(image: Uint8Array, size: number, x: number, y: number, border: Border): number {
  let sum = 0;
  for (const row of [Math.floor(y), Math.floor(y) + 1]) {
    for (const column of [Math.floor(x), Math.floor(x) + 1]) {
      const [v, u] = [indexOf(row, size, border), indexOf(column, size, border)];
      if (v === undefined || u === undefined) continue;
      sum += (1 - Math.abs(y - row)) * (1 - Math.abs(x - column)) * image[v * size + u]!;
    }
  }
  return sum;
}

const cases = fc.record({
  size: fc.integer({ min: 1, max: 20 }),
  border: fc.constantFrom<Border>('constant', 'reflect'),
  // A shear, far beyond the rims.
  matrix: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 }),
  shift: fc.array(fc.double({ min: -60, max: 60, noNaN: true }), { minLength: 2, maxLength: 2 }),
});

test('every pixel is the blend of its four neighbours, and every pixel of the mask the nearest one', () => {
  fc.assert(
    fc.property(cases, ({ size, border, matrix: [a = 0, b = 0, c = 0, d = 0], shift: [e = 0, f = 0] }) => {
      const before = makeSample(size);
      const sample = makeSample(size);
      const placeOf = (x: number, y: number) => [
        Math.round((a * x + b * y + e) * PIXEL),
        Math.round((c * x + d * y + f) * PIXEL),
      ];
      remap(sample, border, (row, xs, ys) => {
        for (let i = 0; i < size; i++) [xs[i], ys[i]] = placeOf(i, row) as [number, number];
      });
      for (let i = 0; i < size * size; i++) {
        const [x, y] = placeOf(i % size, Math.floor(i / size)).map((at) => at / PIXEL) as [number, number];
        const wanted = bilinear(before.image, size, x, y, border);
        // A half for rounding; neighbours' shares are whole 2048ths.
        assert.ok(Math.abs(sample.image[i]! - wanted) <= 0.5 + (2 * 255) / 2048, `${sample.image[i]} for ${wanted}`);
        // Half-way between two pixels either is right.
        if (Math.abs((x % 1) + (x < 0 ? 1 : 0) - 0.5) < 1e-4 || Math.abs((y % 1) + (y < 0 ? 1 : 0) - 0.5) < 1e-4)
          continue;
        const [v, u] = [indexOf(Math.round(y), size, border), indexOf(Math.round(x), size, border)];
        assert.equal(sample.mask[i], v === undefined || u === undefined ? 0 : before.mask[v * size + u]);
      }
    }),
  );
});

test('whole pixels are taken as they are, to the last row and column', () => {
  for (const size of [1, 2, 5, 8]) {
    const sample = makeSample(size);
    remap(sample, 'constant', (row, xs, ys) => {
      for (let i = 0; i < size; i++) [xs[i], ys[i]] = [i * PIXEL, row * PIXEL];
    });
    assert.deepEqual(sample, makeSample(size));
  }
});

test('a pixel inside is found wherever it is', () => {
  for (const length of [1, 7, 8, 64, 1000]) {
    const memory = new Uint8Array(length + 5);
    const mask = memory.subarray(3, 3 + length);
    memory[2] = 1;
    memory[3 + length] = 1;
    assert.equal(anyInside(mask), false);
    for (const at of [0, length >> 1, length - 1]) {
      mask[at] = 1;
      assert.equal(anyInside(mask), true);
      mask[at] = 0;
    }
  }
});
