import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MASK_SIZE } from '../../src/core/competition.ts';
import { createRng } from '../../src/core/random.ts';
import { areaOfRuns, intersectionArea, maskToRuns } from '../../src/core/rle.ts';
import { diceOfRuns } from '../../src/metrics/dice.ts';
import { thresholdMap } from '../../src/postprocess/threshold-map.ts';
import { THRESHOLDS, thresholdCurves } from '../../src/predict/threshold-curves.ts';

const SIDE = 64;

/** A disc of noise on a dark picture, and a truth that lies beside it by half; every third truth is empty. */
function makeImage(seed: number) {
  const rng = createRng(seed, 'curves');
  const probabilities = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
    return Math.hypot(x - 30, y - 30) < 12 ? rng.integer(0, 255) : rng.integer(0, 9);
  });
  const data = new Uint8Array(MASK_SIZE ** 2);
  for (let y = 400; y < 600; y++) if (seed % 3 !== 0) data.fill(1, y * MASK_SIZE + 480, y * MASK_SIZE + 640);
  return { probabilities, truth: maskToRuns({ width: MASK_SIZE, height: MASK_SIZE, data }) };
}

test('every point is what the masks of that threshold score, one by one', () => {
  const images = [1, 2, 3].map(makeImage);
  const curves = thresholdCurves();
  for (const { probabilities, truth } of images) curves.add(probabilities, SIDE, truth);
  const points = curves.points();
  assert.deepEqual(
    points.map(({ threshold }) => threshold),
    THRESHOLDS,
  );
  for (const { threshold, dice, dice_positive, precision, recall } of points) {
    let [sum, ofPositives, hits, above, truths] = [0, 0, 0, 0, 0];
    for (const { probabilities, truth } of images) {
      const mask = maskToRuns(thresholdMap([{ probabilities, resolution: SIDE, weight: 1 }], threshold));
      sum += diceOfRuns(mask, truth);
      if (truth.length > 0) ofPositives += diceOfRuns(mask, truth);
      hits += intersectionArea(mask, truth);
      above += areaOfRuns(mask);
      truths += areaOfRuns(truth);
    }
    const wanted = [sum / 3, ofPositives / 2, hits / above, hits / truths];
    [dice, dice_positive, precision, recall].forEach((value, index) => {
      assert.ok(Math.abs(value - wanted[index]!) < 1e-12 || Number.isNaN(wanted[index]!), `${threshold} ${index}`);
    });
  }
});
