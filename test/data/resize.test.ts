import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import type { GrayImage } from '../../src/core/image.ts';
import { resizeGray } from '../../src/data/resize.ts';

function picture(width: number, height: number, levelAt: (x: number, y: number) => number): GrayImage {
  const data = Uint8Array.from({ length: width * height }, (_, i) => levelAt(i % width, Math.floor(i / width)));
  return { width, height, data };
}

/** A smooth wave with a bright line, as radiographs are. */
function wave(side: number): GrayImage {
  return picture(side, side, (x, y) =>
    x === y ? 250 : 120 + 60 * Math.sin((x * 9) / side) * Math.cos((y * 7) / side),
  );
}

test('half as large is the mean of every four pixels, halves rounded up', async () => {
  const image = picture(
    4,
    4,
    (x, y) =>
      [
        [0, 1, 10, 10],
        [1, 0, 10, 11],
        [255, 255, 0, 3],
        [255, 255, 0, 3],
      ][y]![x]!,
  );
  const meanOf = (...levels: number[]) => Math.floor(levels.reduce((sum, level) => sum + level) / 4 + 0.5);
  const means = [meanOf(0, 1, 1, 0), meanOf(10, 10, 10, 11), meanOf(255, 255, 255, 255), meanOf(0, 3, 0, 3)];
  assert.deepEqual([...(await resizeGray(image, 2))], means);
});

test('every halving is the mean of every four pixels, whatever the width and wherever the pixels begin in memory', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 3 }),
      fc.nat(),
      async (side, skip, seed) => {
        const width = 2 * side;
        const memory = Uint8Array.from(
          { length: skip + width * width },
          (_, i) => Math.imul(i + seed, 2654435761) >>> 24,
        );
        const data = memory.subarray(skip);
        const at = (x: number, y: number) => data[y * width + x]!;
        const means = Array.from({ length: side * side }, (_, i) => {
          const [x, y] = [2 * (i % side), 2 * Math.floor(i / side)];
          return Math.floor((at(x, y) + at(x + 1, y) + at(x, y + 1) + at(x + 1, y + 1)) / 4 + 0.5);
        });
        assert.deepEqual([...(await resizeGray({ width, height: width, data }, side))], means);
      },
    ),
    { numRuns: 100, seed: 4 },
  );
});

test('a quarter is halved twice', async () => {
  const image = picture(8, 8, (x) => (x < 4 ? 8 : 40));
  assert.deepEqual([...(await resizeGray(image, 2))], [8, 40, 8, 40]);
});

test('a picture of the side already is the same one, even if it is not divisible', async () => {
  const image = wave(7);
  assert.equal(await resizeGray(image, 7), image.data);
});

test('what is not square is halved as long as both sides allow it, then stretched', async () => {
  const image = picture(8, 4, (x) => x * 10);
  const [first, second] = await resizeGray(image, 2);
  // Halved once: 5 25 45 65 in two rows; then the rows are squeezed to two.
  assert.ok(Math.abs(first! - 15) <= 6 && Math.abs(second! - 55) <= 6, `${first}, ${second}`);
});

test('a flat picture stays flat at every size', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 24 }),
      async (width, height, side) => {
        const pixels = await resizeGray(
          picture(width, height, () => 90),
          side,
        );
        assert.equal(pixels.length, side * side);
        assert.ok(pixels.every((level) => Math.abs(level - 90) <= 1));
      },
    ),
    { numRuns: 60, seed: 3 },
  );
});

test("halving differs from Lanczos by a fraction of a grey level in the mean, and keeps a line's contrast better", async () => {
  const image = wave(256);
  const halved = await resizeGray(image, 128);
  const raw = { width: 256, height: 256, channels: 1 as const };
  const lanczos = await sharp(image.data, { raw })
    .resize(128, 128, { kernel: 'lanczos3' })
    .toColourspace('b-w')
    .raw()
    .toBuffer();
  const mean = halved.reduce((sum, level, i) => sum + Math.abs(level - lanczos[i]!), 0) / halved.length;
  assert.ok(mean < 0.5, `mean difference ${mean}`);
  const line = picture(256, 256, (x) => (x === 100 ? 200 : 0));
  const [own, theirs] = [
    await resizeGray(line, 128),
    await sharp(line.data, { raw }).resize(128, 128, { kernel: 'lanczos3' }).toColourspace('b-w').raw().toBuffer(),
  ];
  assert.equal(own[64 * 128 + 50], 100);
  assert.ok(theirs[64 * 128 + 50]! < 95, `Lanczos leaves ${theirs[64 * 128 + 50]}`);
});
