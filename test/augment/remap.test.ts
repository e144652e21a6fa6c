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
  step: fc.integer({ min: 1, max: 24 }),
  // A shear, far beyond the rims; every row bends a little at each place that it is given.
  matrix: fc.array(fc.double({ min: -2, max: 2, noNaN: true }), { minLength: 4, maxLength: 4 }),
  shift: fc.array(fc.double({ min: -60, max: 60, noNaN: true }), { minLength: 2, maxLength: 2 }),
  bends: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), { minLength: 22, maxLength: 22 }),
});

test('every pixel is the blend of its four neighbours, and every pixel of the mask the nearest one', () => {
  fc.assert(
    fc.property(cases, ({ size, border, step, matrix, shift, bends }) => {
      const [a, b, c, d] = matrix as [number, number, number, number];
      const before = makeSample(size);
      const sample = makeSample(size);
      const nodeOf = (node: number, row: number) => [
        Math.round((a * node * step + b * row + shift[0]! + bends[node]!) * PIXEL),
        Math.round((c * node * step + d * row + shift[1]! - bends[node]!) * PIXEL),
      ];
      remap(sample, { border, step }, (row, xs, ys) => {
        for (let node = 0; node <= Math.ceil(size / step); node++)
          [xs[node], ys[node]] = nodeOf(node, row) as [number, number];
      });
      for (let i = 0; i < size * size; i++) {
        const [row, node, between] = [Math.floor(i / size), Math.floor((i % size) / step), (i % size) % step];
        const [from, to] = [nodeOf(node, row), nodeOf(node + 1, row)];
        const placeOf = (axis: 0 | 1) => (from[axis]! + between * Math.trunc((to[axis]! - from[axis]!) / step)) / PIXEL;
        const [x, y] = [placeOf(0), placeOf(1)];
        const wanted = bilinear(before.image, size, x, y, border);
        // A half for rounding; neighbours' shares are whole 2048ths.
        assert.ok(Math.abs(sample.image[i]! - wanted) <= 0.5 + (2 * 255) / 2048, `${sample.image[i]} for ${wanted}`);
        // Half-way between two pixels either is right.
        if ([x, y].some((at) => Math.abs(at - Math.floor(at) - 0.5) < 1e-4)) continue;
        const [v, u] = [indexOf(Math.round(y), size, border), indexOf(Math.round(x), size, border)];
        assert.equal(sample.mask[i], v === undefined || u === undefined ? 0 : before.mask[v * size + u]);
      }
    }),
  );
});

test('whole pixels are taken as they are, to the last row and column', () => {
  for (const size of [1, 2, 5, 8]) {
    for (const step of [1, 2, 3, 32]) {
      const sample = makeSample(size);
      remap(sample, { border: 'constant', step }, (row, xs, ys) => {
        for (let node = 0; node <= Math.ceil(size / step); node++)
          [xs[node], ys[node]] = [node * step * PIXEL, row * PIXEL];
      });
      assert.deepEqual(sample, makeSample(size));
    }
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
