import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseExperiment } from '../../src/config/experiment.ts';
import { lrPage } from '../../src/train/lr-page.ts';
import { addPoint, hasDiverged, type LrPoint, rangeRates, readRange } from '../../src/train/lr-range.ts';
import { makeExperimentFolder } from '../config/files.ts';
import { checkInBrowser } from '../pages/browser.ts';
import { checkPage } from '../pages/check-page.ts';

const folder = makeExperimentFolder();

/** A loss that stays, falls around 1e-3, is lowest near 1e-1 and explodes. */
function makePoints(): LrPoint[] {
  const lossAt = (lr: number) => 1 / (1 + lr / 1e-3) + (lr / 0.3) ** 3;
  return rangeRates({ from: 1e-6, to: 10, updates: 120 }).reduce<LrPoint[]>(
    (points, lr) => (hasDiverged(points) ? points : addPoint(points, lr, lossAt(lr))),
    [],
  );
}

test('rates grow by one factor', () => {
  const rates = rangeRates({ from: 1e-4, to: 1, updates: 5 });
  [1e-4, 1e-3, 1e-2, 1e-1, 1].forEach((rate, i) => {
    assert.ok(Math.abs(rates[i]! / rate - 1) < 1e-12);
  });
});

test('smoothing leaves a constant as it is, and weighs the newest loss most', () => {
  let points: LrPoint[] = [];
  for (let i = 0; i < 30; i++) points = addPoint(points, 1e-3, 2);
  for (const { smoothed } of points) assert.ok(Math.abs(smoothed - 2) < 1e-12);
  const { smoothed } = addPoint(addPoint([], 1, 4), 1, 1).at(-1)!;
  assert.ok(Math.abs(smoothed - (0.9 * 4 + 1) / 1.9) < 1e-12, `${smoothed}`);
});

test('a range is left where the loss explodes, and its rate is on the way down', () => {
  const points = makePoints();
  assert.ok(points.length < 120);
  const { steepest, lowest, suggestion } = readRange(points);
  assert.ok(steepest! > 3e-4 && steepest! < 3e-3, `${steepest}`);
  assert.ok(lowest > 3e-2 && lowest < 0.4, `${lowest}`);
  assert.ok(suggestion <= steepest! && suggestion <= lowest / 10 + 1e-12, `${suggestion}`);
});

test('a loss that only rises has no steepest place, and one that is no number ends the range', () => {
  const rising = rangeRates({ from: 1e-3, to: 1, updates: 31 }).reduce<LrPoint[]>(
    (points, lr, i) => addPoint(points, lr, 1 + i / 10),
    [],
  );
  const { steepest, lowest, suggestion } = readRange(rising);
  assert.equal(steepest, undefined);
  // The first ten are too few to be trusted, a lucky batch among them least of all.
  assert.equal(lowest, rising[10]!.lr);
  assert.equal(suggestion, lowest / 10);
  assert.deepEqual(readRange([{ ...rising[0]!, loss: 0, smoothed: 0 }, ...rising.slice(1)]), readRange(rising));
  const broken = addPoint(rising, 1, Number.NaN);
  assert.equal(hasDiverged(broken), true);
  assert.deepEqual(readRange(broken), readRange(rising));
  assert.throws(() => readRange([]), /received none/);
});

test('the page is whole, also where the last loss is no number', async (t) => {
  const experiment = await parseExperiment('x.yml', {}, folder);
  const points = addPoint(makePoints(), 10, Number.NaN);
  const range = { from: 1e-6, to: 10, updates: 120 };
  const page = await lrPage(experiment, range, { ...readRange(points), points });
  checkPage(page);
  await checkInBrowser(t, page, ['Loss over learning rate']);
});
