import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Mask, maskArea } from '../../src/core/image.ts';
import { runsToMask } from '../../src/core/rle.ts';
import { readLabels } from '../../src/data/labels.ts';
import { findComponents } from '../../src/postprocess/components.ts';
import { fillHoles } from '../../src/postprocess/fill-holes.ts';
import { describePostprocess, postprocess, postprocessConfig } from '../../src/postprocess/index.ts';
import { keepLargestComponents } from '../../src/postprocess/largest-components.ts';
import { meanProbability } from '../../src/postprocess/mean-probability.ts';
import { statisticOf } from '../../src/postprocess/statistic.ts';
import { passesTriplet } from '../../src/postprocess/triplet.ts';
import { temporaryFolder } from '../data/fixture-competition.ts';
import { readRealLabelFile } from '../data/real-label-file.ts';

interface Golden {
  masks: { side: number; mask: string; filled: string; count: number; largest: string }[];
  maps: {
    side: number;
    probabilities: number[];
    pixels: number;
    above: number;
    max: number;
    top_mean: number;
    sum: number;
    score: number;
    over_score: number;
  }[];
  real: { masks: number; sha256: string };
}

const golden = JSON.parse(readFileSync(new URL('../golden/postprocess-steps.json', import.meta.url), 'utf8')) as Golden;

const maskOf = (digits: string, width: number): Mask => ({
  width,
  height: digits.length / width,
  data: Uint8Array.from(digits, Number),
});

test('scipy agrees on holes and on the largest components (test/golden/postprocess-steps.py)', () => {
  assert.equal(golden.masks.length, 5);
  for (const { side, mask, filled, count, largest } of golden.masks) {
    assert.equal(fillHoles(maskOf(mask, side)).data.join(''), filled);
    assert.equal(keepLargestComponents(maskOf(mask, side), count).data.join(''), largest);
  }
});

test('numpy agrees on figures of maps and on the triplet’s area (test/golden/postprocess-steps.py)', () => {
  assert.equal(golden.maps.length, 3);
  for (const { side, probabilities, pixels, above, score, over_score: over, ...figures } of golden.maps) {
    const member = { probabilities: Uint8Array.from(probabilities), resolution: side, weight: 1 };
    const mean = meanProbability([member], side);
    const close = (a: number, b: number) => assert.ok(Math.abs(a - b) < 1e-12 * Math.max(1, b), `${a} against ${b}`);
    close(statisticOf(mean, { name: 'max' }), figures.max);
    close(statisticOf(mean, { name: 'top_mean', pixels }), figures.top_mean);
    close(statisticOf(mean, { name: 'sum', above }), figures.sum);
    assert.equal(passesTriplet([member], { score, area: over }, side), false, 'exactly so many are not more');
    assert.equal(passesTriplet([member], { score, area: over - 1 }, side), true);
  }
});

test('components and holes of the real masks are OpenCV’s and scipy’s (test/golden/postprocess-steps.py)', async () => {
  const folder = await temporaryFolder();
  try {
    const path = join(folder.path, 'rle.csv');
    await writeFile(path, await readRealLabelFile());
    const { truth } = await readLabels(path);
    const positives = [...truth].filter(([, runs]) => runs.length > 0).sort(([a], [b]) => (a < b ? -1 : 1));
    const chosen = positives.filter((_, place) => place % 3 === 0);
    const digest = createHash('sha256');
    for (const [, runs] of chosen) {
      const mask = runsToMask(runs);
      digest.update(`${listComponents(mask)} ${maskArea(fillHoles(mask)) - maskArea(mask)}\n`);
    }
    assert.deepEqual({ masks: chosen.length, sha256: digest.digest('hex') }, golden.real);
  } finally {
    await folder.remove();
  }
});

/** First pixel, area and sum of all pixels' places of each component. */
function listComponents(mask: Mask): string {
  const { areas, segments, componentOf } = findComponents(mask);
  const firsts: number[] = [];
  const sums = new Float64Array(areas.length);
  for (const [index, component] of componentOf.entries()) {
    const [start, end] = [segments[2 * index]!, segments[2 * index + 1]!];
    firsts[component] ??= start;
    sums[component] = sums[component]! + ((start + end - 1) * (end - start)) / 2;
  }
  return firsts.map((first, component) => `${first},${areas[component]},${sums[component]}`).join(';');
}

test('holes are filled first, so a ring counts with what it encloses', () => {
  const ring = maskOf(['00000000', '01110010', '01010010', '01110000', '00000110'].join(''), 8);
  const keep = (keys: object) => postprocess(ring, postprocessConfig.parse(keys)).data.join('');
  const block = ['00000000', '01110000', '01110000', '01110000', '00000000'].join('');
  assert.equal(keep({ fill_holes: true, min_component_area: 8 }), block);
  assert.equal(keep({ min_component_area: 8 }), '0'.repeat(40));
  assert.equal(keep({ largest_components: 1, fill_holes: true }), block);
});

test('every step can only take pixels away but for holes, and twice is once', () => {
  const anyMask = fc
    .tuple(fc.integer({ min: 1, max: 16 }), fc.integer({ min: 1, max: 16 }))
    .chain(([width, height]) =>
      fc
        .array(fc.constantFrom(0, 1), { minLength: width * height, maxLength: width * height })
        .map((bits) => ({ width, height, data: Uint8Array.from(bits) })),
    );
  const anySteps = fc.record(
    {
      fill_holes: fc.boolean(),
      min_component_area: fc.integer({ min: 0, max: 12 }),
      largest_components: fc.integer({ min: 1, max: 4 }),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(anyMask, anySteps, (mask, steps) => {
      const config = postprocessConfig.parse(steps);
      const once = postprocess(mask, config);
      assert.deepEqual(postprocess(once, config), once);
      const largest = config.fill_holes ? fillHoles(mask) : mask;
      assert.ok(once.data.every((pixel, index) => pixel <= largest.data[index]!));
      assert.ok(findComponents(once).areas.every((area) => area > config.min_component_area));
      assert.ok(findComponents(once).areas.length <= (config.largest_components ?? Number.POSITIVE_INFINITY));
    }),
    { numRuns: 500 },
  );
});

test('a configuration is said in words', () => {
  const words = (keys: object) => describePostprocess(postprocessConfig.parse(keys));
  assert.equal(words({}), 'threshold 0.5');
  assert.equal(
    words({
      gate: { statistic: 'top_mean', pixels: 500, threshold: 0.6 },
      triplet: { score: 0.75, area: 2000 },
      fill_holes: true,
      min_component_area: 300,
      largest_components: 2,
    }),
    'gate top_mean of 500 pixels ≥ 0.6; over 2000 pixels above 0.75; threshold 0.5; holes filled; components over 300 ' +
      'pixels; the 2 largest components',
  );
});

test('the mean of the largest is that of the sorted pixels, be they high or low', () => {
  const anyMap = fc.tuple(
    fc.integer({ min: 1, max: 3000 }),
    fc.integer({ min: 1, max: 4000 }),
    fc.constantFrom(1, 8, 40),
  );
  fc.assert(
    fc.property(anyMap, fc.nat(99), ([length, pixels, dim], seed) => {
      const map = Float64Array.from({ length }, (_, i) => ((i * 7919 + seed) % 1001) / 1000 / dim);
      const top = [...map].sort((a, b) => b - a).slice(0, pixels);
      const expected = top.reduce((sum, each) => sum + each, 0) / top.length;
      assert.ok(Math.abs(statisticOf(map, { name: 'top_mean', pixels }) - expected) < 1e-12);
    }),
    { numRuns: 100 },
  );
});
