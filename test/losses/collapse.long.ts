import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { createRng } from '../../src/core/random.ts';
import type { Batch } from '../../src/data/batch.ts';
import { buildLoss, type LossConfig, lossConfig } from '../../src/losses/index.ts';
import { buildOptimizer, optimizerConfig } from '../../src/optim/index.ts';
import { createStep } from '../../src/train/step.ts';
import { loadForTests } from '../engine/load-for-tests.ts';
import { SIDE, smallUnet } from '../engine/steps-for-tests.ts';

before(loadForTests);

const COUNT = 8;
const AREA = SIDE * SIDE;
/** How much brighter than the noise around it, of deviation 30, a rectangle is. */
const BRIGHTER = 40;

/** Noise, in each image with a darker square, and in 22 % of them, as in the competition, with a brighter rectangle to find. */
function drawBatch(seed: number): Batch {
  const rng = createRng(seed, 'collapse');
  const [images, masks] = [new Uint8Array(COUNT * AREA), new Uint8Array(COUNT * AREA)];
  for (let n = 0; n < COUNT; n++) {
    const positive = rng.chance(0.22);
    const corner = () => rng.integer(0, 40);
    const bright = { x: corner(), y: corner(), width: rng.integer(6, 22), height: rng.integer(6, 22) };
    const dark = { x: corner(), y: corner(), width: 12, height: 12 };
    for (let i = 0; i < AREA; i++) {
      const found = positive && isInside(bright, i);
      const level = 100 + 30 * rng.normal() + BRIGHTER * (Number(found) - Number(isInside(dark, i)));
      images[n * AREA + i] = Math.min(255, Math.max(0, Math.round(level)));
      masks[n * AREA + i] = Number(found);
    }
  }
  return {
    ids: Array.from({ length: COUNT }, (_, n) => `${seed}-${n}`),
    count: COUNT,
    resolution: SIDE,
    images,
    masks,
  };
}

function isInside(box: { x: number; y: number; width: number; height: number }, place: number): boolean {
  const [x, y] = [(place % SIDE) - box.x, Math.floor(place / SIDE) - box.y];
  return x >= 0 && x < box.width && y >= 0 && y < box.height;
}

/** Of images with a mask, after 200 updates: the share in which anything is found, and the mean Dice. */
function trainAndScore(config: LossConfig) {
  const adam = buildOptimizer(optimizerConfig.parse({ name: 'adam' }));
  const step = createStep(smallUnet(), buildLoss([config]), adam, {
    ...{ execution: 'graph', batchSize: COUNT, validationBatchSize: COUNT, resolution: SIDE, seed: 1 },
    ...{ accumulates: false, scalesLoss: false, rewrites: { train: [], predict: [] } },
  });
  for (let update = 0; update < 200; update++) step.update(drawBatch(update), 3e-3);
  const dices: number[] = [];
  let found = 0;
  for (let seed = 1000; seed < 1010; seed++) {
    const batch = drawBatch(seed);
    const { probabilities } = step.evaluate(batch);
    for (let n = 0; n < COUNT; n++) {
      const sums = { both: 0, mask: 0, predicted: 0 };
      for (let i = n * AREA; i < (n + 1) * AREA; i++) {
        const predicted = Number(probabilities[i]! > 0.5);
        sums.both += predicted * batch.masks[i]!;
        sums.mask += batch.masks[i]!;
        sums.predicted += predicted;
      }
      if (sums.mask === 0) continue;
      dices.push((2 * sums.both) / (sums.mask + sums.predicted));
      found += Number(sums.predicted > 0);
    }
  }
  step.dispose();
  return { found: found / dices.length, dice: dices.reduce((sum, dice) => sum + dice, 0) / dices.length };
}

const lovasz = (config: object) => lossConfig.parse({ name: 'lovasz', ...config });

for (const config of [lovasz({}), lovasz({ symmetric: true })]) {
  test(`over mostly empty images the Lovász hinge collapses to empty masks: ${JSON.stringify(config)}`, () => {
    assert.equal(trainAndScore(config).found, 0);
  });
}

for (const config of [lovasz({ empty_weight: 0.25 }), lovasz({ per: 'batch' })]) {
  test(`it does not, and finds what is there: ${JSON.stringify(config)}`, () => {
    const { found, dice } = trainAndScore(config);
    assert.equal(found, 1);
    assert.ok(dice > 0.75, `Dice ${dice}`);
  });
}
