import assert from 'node:assert/strict';
import { test } from 'node:test';
import { elasticTransformConfig } from '../../src/augment/elastic-transform.ts';
import { gridDistortionConfig } from '../../src/augment/grid-distortion.ts';
import { opticalDistortionConfig } from '../../src/augment/optical-distortion.ts';
import { createRng } from '../../src/core/random.ts';
import { apply, discSample, rampSample } from './discs.ts';

const elastic = (config: object) => elasticTransformConfig.parse({ name: 'elastic_transform', p: 1, ...config });
const grid = (config: object) => gridDistortionConfig.parse({ name: 'grid_distortion', p: 1, ...config });
const optical = (config: object) => opticalDistortionConfig.parse({ name: 'optical_distortion', p: 1, ...config });

/** How far a step moves the pixels away from the rims, in pixels, row by row. */
function displacements(config: ReturnType<typeof elastic>, seed: number, direction: 'right' | 'down'): number[][] {
  const [size, rim, slope] = [128, 16, 2];
  const { image } = apply(config, rampSample(size, slope, direction), seed);
  const inner = Array.from({ length: size - 2 * rim }, (_, i) => i + rim);
  return inner.map((y) => inner.map((x) => image[y * size + x]! / slope - (direction === 'right' ? x : y)));
}
const meanSquare = (values: number[]) => values.reduce((sum, value) => sum + value * value, 0) / values.length;

for (const { alpha, sigma } of [
  { alpha: 120, sigma: 6 },
  { alpha: 30, sigma: 3 },
  { alpha: 12, sigma: 1.5 },
]) {
  test(`elastic: noise smoothed by ${sigma} pixels, times ${alpha}`, () => {
    const config = elastic({ alpha, sigma, alpha_affine: 0 });
    for (const direction of ['right', 'down'] as const) {
      const fields = Array.from({ length: 24 }, (_, seed) => displacements(config, seed, direction));
      // Of noise uniform in ±1, smoothed: 1/√3 over 2σ√π. Grey levels are half pixels, which adds 1/√12 of that.
      const wanted = (alpha / Math.sqrt(3) / (2 * sigma * Math.sqrt(Math.PI))) ** 2 + 0.25 / 12;
      const found = meanSquare(fields.flat(2));
      assert.ok(Math.abs(Math.sqrt(found / wanted) - 1) < 0.08, `${Math.sqrt(found)} for ${Math.sqrt(wanted)} pixels`);
      // Pixels d apart agree as exp(−d² / 4σ²), the Gaussian with itself.
      const apart = Math.round(2 * sigma);
      const pairs = fields.flatMap((rows) =>
        rows.flatMap((row) => row.slice(apart).map((value, i) => value * row[i]!)),
      );
      const agreement = pairs.reduce((sum, value) => sum + value, 0) / pairs.length / found;
      assert.ok(Math.abs(agreement - Math.exp(-((apart / sigma) ** 2) / 4)) < 0.1, `agreement ${agreement}`);
    }
  });
}

test('elastic: alpha and alpha_affine of 0 change nothing; alpha_affine alone moves what is straight to what is straight', () => {
  assert.deepEqual(apply(elastic({ alpha: 0, alpha_affine: 0 }), discSample(33)), discSample(33));
  for (let seed = 0; seed < 10; seed++) {
    const rows = displacements(elastic({ alpha: 0, alpha_affine: 5 }), seed, 'right');
    const bends = rows.flatMap((row) => row.slice(2).map((value, i) => value - 2 * row[i + 1]! + row[i]!));
    // A plane, but for grey levels of half a pixel.
    assert.ok(Math.max(...bends.map(Math.abs)) <= 1);
    // Three corners move by up to 5 pixels, so what is inside them by up to 15.
    const most = Math.max(...rows.flat().map(Math.abs));
    assert.ok(most > 0.5 && most <= 15.5, `${most} pixels`);
  }
});

test('grid: cells of unequal widths over the whole image fill equal ones', () => {
  const [size, slope, steps, limit] = [100, 2, 5, 0.3];
  for (const direction of ['right', 'down'] as const) {
    for (let seed = 0; seed < 20; seed++) {
      const { image } = apply(
        grid({ num_steps: steps, distort_limit: limit }),
        rampSample(size, slope, direction),
        seed,
      );
      const line = Array.from({ length: size }, (_, i) => image[direction === 'right' ? i : i * size]!);
      for (let i = 0; i < size * size; i++) {
        assert.equal(image[i], line[direction === 'right' ? i % size : Math.floor(i / size)]);
      }
      assert.ok(line[0]! <= slope && line.at(-1)! >= slope * (size - 2));
      const cell = size / steps;
      const widths = Array.from(
        { length: steps },
        (_, i) => (line[(i + 1) * cell - 1]! - line[i * cell]!) / slope / (cell - 1),
      );
      for (const width of widths) assert.ok(width > 0.7 / 1.3 - 0.06 && width < 1.3 / 0.7 + 0.06, `${widths}`);
      assert.ok(Math.max(...widths) - Math.min(...widths) > 0.1, `${widths}`);
    }
  }
  for (const size of [32, 33]) assert.deepEqual(apply(grid({ distort_limit: 0 }), discSample(size)), discSample(size));
});

test('grid: more cells than pixels do no harm', () => {
  const { image } = apply(grid({ num_steps: 64 }), rampSample(10, 20));
  assert.ok(image.every((level) => level <= 180));
});

test('optical: r comes from r·(1 + k·r² + k·r⁴) about a centre that is off by the shift', () => {
  const [size, slope] = [101, 2];
  for (let seed = 0; seed < 20; seed++) {
    const { image } = apply(optical({ distort_limit: 0.8, shift_limit: 4 }), rampSample(size, slope), seed);
    const rng = createRng(seed, 'a');
    rng.chance(1);
    const [k, shift] = [rng.between(-0.8, 0.8), rng.between(-4, 4)];
    const down = rng.between(-4, 4);
    for (let i = 0; i < size * size; i++) {
      const [x, y] = [((i % size) - 50) / size, (Math.floor(i / size) - 50) / size];
      const r = Math.hypot(x, y);
      const factor = 1 + k * r ** 2 + k * r ** 4;
      const [column, row] = [50 + shift + x * factor * size, 50 + down + y * factor * size];
      if (Math.min(column, row) >= 0.2 && Math.max(column, row) <= size - 1.2) {
        // Half a level for rounding, and what a straight line over 4 pixels leaves: 4²/8 of the bend, below 9k a side.
        assert.ok(
          Math.abs(image[i]! - slope * column) <= 0.52 + (slope * 2 * 9 * 0.8) / size,
          `${image[i]} for ${slope * column}`,
        );
      } else if (column < -1 || row < -1 || column > size || row > size) assert.equal(image[i], 0);
    }
  }
  for (const size of [32, 33]) {
    assert.deepEqual(apply(optical({ distort_limit: 0, shift_limit: 0 }), discSample(size)), discSample(size));
  }
});
