import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blurConfig } from '../../src/augment/blur.ts';
import type { AugmentConfig } from '../../src/augment/index.ts';
import { noiseConfig } from '../../src/augment/noise.ts';
import { createRng } from '../../src/core/random.ts';
import { apply } from './discs.ts';

/** Every grey level, four times. */
const levels = () => ({
  size: 32,
  image: Uint8Array.from({ length: 1024 }, (_, i) => i >> 2),
  mask: Uint8Array.from({ length: 1024 }, (_, i) => i & 1),
});
const clip = (level: number) => Math.min(255, Math.max(0, level));
/** The number that a step draws after deciding to act. */
function drawn(seed: number, low: number, high: number): number {
  const rng = createRng(seed, 'a');
  rng.chance(1);
  return rng.between(low, high);
}

const MAPS: [AugmentConfig, [low: number, high: number], (x: number, drawn: number) => number][] = [
  [{ name: 'brightness', p: 1, limit: 0.4 }, [-0.4, 0.4], (x, b) => x + 255 * b],
  [{ name: 'contrast', p: 1, limit: 0.5 }, [-0.5, 0.5], (x, c) => 127.5 + (x - 127.5) * (1 + c)],
  [{ name: 'gamma', p: 1, gamma_limit: [50, 200] }, [0.5, 2], (x, g) => 255 * Math.exp(g * Math.log(x / 255))],
];
for (const [step, range, formula] of MAPS) {
  test(`${step.name} is its formula, clipped and rounded, and leaves the mask`, () => {
    for (let seed = 0; seed < 10; seed++) {
      const { image, mask } = apply(step, levels(), seed);
      for (let i = 0; i < 1024; i++) {
        const wanted = clip(formula(i >> 2, drawn(seed, ...range)));
        assert.ok(Math.abs(image[i]! - wanted) <= 0.5 + 1e-9, `${image[i]} for ${wanted}`);
      }
      assert.deepEqual(mask, levels().mask);
    }
  });
}

test('contrast is about the mean of the image, which it keeps', () => {
  const image = Uint8Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? 130 : 40));
  const sample = { size: 30, image, mask: new Uint8Array(900) };
  apply({ name: 'contrast', p: 1, limit: 0.9 }, sample, 5);
  const mean = sample.image.reduce((sum, level) => sum + level, 0) / 900;
  assert.ok(Math.abs(mean - 70) < 0.5 && sample.image[0] !== 130);
});

test('noise is normal with the standard deviation that was drawn, and clipped', () => {
  const size = 256;
  const grey = (level: number) => ({
    size,
    image: new Uint8Array(size * size).fill(level),
    mask: new Uint8Array(size * size),
  });
  const step = noiseConfig.parse({ name: 'noise', p: 1, std_range: [0.02, 0.06] });
  for (let seed = 0; seed < 6; seed++) {
    const { image } = apply(step, grey(128), seed);
    const moment = (power: number) => image.reduce((sum, level) => sum + (level - 128) ** power, 0) / image.length;
    const deviation = 255 * drawn(seed, 0.02, 0.06);
    // Rounding to grey levels adds 1/12. The mean of 65,536 has a standard error of a 256th of the deviation.
    assert.ok(Math.abs(moment(1)) < (4 * deviation) / 256, `mean ${moment(1)}`);
    assert.ok(
      Math.abs(Math.sqrt(moment(2) - 1 / 12) / deviation - 1) < 0.02,
      `${Math.sqrt(moment(2))} for ${deviation}`,
    );
    assert.ok(Math.abs(moment(4) / moment(2) ** 2 - 3) < 0.25, `kurtosis ${moment(4) / moment(2) ** 2}`);
    // Neighbours, right and below, do not know one another.
    for (const step of [1, size]) {
      let sum = 0;
      for (let i = step; i < image.length; i++) sum += (image[i]! - 128) * (image[i - step]! - 128);
      assert.ok(Math.abs(sum / image.length / moment(2)) < 0.02);
    }
    const black = apply(step, grey(0), seed).image;
    assert.ok(Math.abs(black.filter((level) => level === 0).length / black.length - 0.5) < 0.05);
  }
});

test('blur is the mean of the square around each pixel; at the rim its own pixels go on', () => {
  for (const size of [1, 3, 8, 21]) {
    for (const side of [3, 5, 7, 31]) {
      const image = Uint8Array.from({ length: size * size }, (_, i) => (i * 97 + Math.floor(i / size) * 31) % 256);
      const step = blurConfig.parse({ name: 'blur', p: 1, blur_limit: [side, side] });
      const blurred = apply(step, { size, image: image.slice(), mask: new Uint8Array(size * size) }).image;
      const inside = (at: number) => Math.min(size - 1, Math.max(0, at));
      const reach = (side - 1) / 2;
      for (let y = 0; y < size; y++) {
        for (let x = 0; x < size; x++) {
          let sum = 0;
          for (let v = y - reach; v <= y + reach; v++) {
            for (let u = x - reach; u <= x + reach; u++) sum += image[inside(v) * size + inside(u)]!;
          }
          assert.ok(Math.abs(blurred[y * size + x]! - sum / side ** 2) <= 0.5 + 1e-9);
        }
      }
    }
  }
});

test('blur draws odd sides between its limits', () => {
  const point = () => {
    const image = new Uint8Array(33 * 33);
    image[16 * 33 + 16] = 255;
    return { size: 33, image, mask: new Uint8Array(33 * 33) };
  };
  const sides = (limit: [number, number]) => {
    const step = blurConfig.parse({ name: 'blur', p: 1, blur_limit: limit });
    const seen = Array.from({ length: 60 }, (_, seed) => apply(step, point(), seed).image);
    return [...new Set(seen.map((image) => Math.sqrt(image.filter((level) => level > 0).length)))].sort(
      (a, b) => a - b,
    );
  };
  assert.deepEqual(sides([3, 7]), [3, 5, 7]);
  assert.deepEqual(sides([4, 8]), [5, 7]);
  for (const wrong of [[4, 4], [2, 5], [7, 3], [3, 33], 5]) {
    assert.equal(blurConfig.safeParse({ name: 'blur', blur_limit: wrong }).success, false, JSON.stringify(wrong));
  }
});
