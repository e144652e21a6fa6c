import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRng } from '../../../src/core/random.ts';
import { crossFit } from '../../../src/submit/tune/cross-fit.ts';
import { prepareSpace, searchBest } from '../../../src/submit/tune/search.ts';
import { type Setting, scoreSetting } from '../../../src/submit/tune/setting.ts';
import { GRID, type Grid, gridSpace, gridThresholds, STEPS } from '../../../src/submit/tune/space.ts';
import type { EvidenceKind, ImageInput } from '../../../src/submit/tune/tabulate-image.ts';
import { weightGrid, weightKey, weightNeighbours } from '../../../src/submit/tune/weights.ts';
import { meanOf, tuneOnChance } from './biased-sample.ts';
import { type Block, blocksMap, blockTruth, randomInput, tabulateInputs } from './synthetic-images.ts';

const SIDE = 64;
const SMALL_GRID: Grid = { ...GRID, areas: [0, 10, 40, 160], tripletAreas: [0, 40, 160], gateParts: 20 };
const MAX: EvidenceKind = { statistic: 'max' };

function input(truth: Omit<Block, 'byte'> | undefined, ...maps: Block[][]): ImageInput {
  return {
    members: maps.map((blocks) => ({
      ...{ probabilities: blocksMap(SIDE, blocks), resolution: SIDE, weight: 1, presence: undefined },
    })),
    gate: undefined,
    truth: truth === undefined ? new Int32Array(0) : blockTruth(SIDE, truth),
  };
}

/**
 * Images that only the right settings solve: the halo of a mask is below 0.5 (120/255), false islands as bright as anything have 25
 * pixels, and empty images have a false mask that is never as bright as a true one somewhere is.
 */
function solvable(count: number): ImageInput[] {
  const rng = createRng(3, 'solvable');
  return Array.from({ length: count }, (_, place) => {
    const [x, y] = [rng.integer(14, 30), rng.integer(14, 30)];
    const island = { x: 1, y: 2, width: 5, height: 5, byte: 230 };
    if (place % 3 === 0)
      return input(undefined, [island, { x, y, width: 20, height: 15, byte: rng.integer(170, 190) }]);
    const body = { x, y, width: 20, height: 15 };
    const halo = { x: x - 4, y: y - 4, width: 28, height: 23, byte: 120 };
    const peak = { x: x + 3, y: y + 3, width: 2, height: 2, byte: rng.integer(240, 255) };
    return input(body, [island, halo, { ...body, byte: 160 }, peak]);
  });
}

const parts = (count: number) => Int32Array.from({ length: count }, (_, image) => image % 4);

test('a known optimum is found, by each of the searches, and scores 1', async () => {
  const inputs = solvable(60);
  const options = { parts: parts(60), weights: [1], grid: SMALL_GRID, tabulate: tabulateInputs(inputs, [MAX], SIDE) };
  const { fits } = await crossFit(
    [['threshold', 'min_component_area', 'gate'], ['threshold', 'min_component_area'], ['threshold']],
    options,
  );
  const [all, noGate, thresholdAlone] = fits;
  for (const { setting } of [all!.best, ...all!.withoutPart]) {
    const { threshold, min_component_area: area, gate } = setting;
    assert.ok(threshold >= 120 / 255 && threshold < 160 / 255, `threshold ${threshold}`);
    assert.ok(area >= 25 && area < 300, `area ${area}`);
    assert.ok(gate !== undefined && gate.threshold > 230 / 255 && gate.threshold <= 240 / 255, JSON.stringify(gate));
  }
  assert.equal(all!.best.mean, 1);
  assert.equal(meanOf(all!.honest.dice), 1);
  // Without the gate every third image is a false alarm; without the area every image has an island.
  assert.equal(meanOf(noGate!.honest.dice), 2 / 3);
  const alone = meanOf(thresholdAlone!.honest.dice);
  assert.ok(alone < 2 / 3 - 0.01, `${alone}`);
});

test('the weights that alone part truth from noise are found', async () => {
  const rng = createRng(5, 'weights');
  const inputs = Array.from({ length: 24 }, () => {
    const body = { x: rng.integer(2, 20), y: rng.integer(2, 20), width: 16, height: 16 };
    const noise = { x: 40, y: rng.integer(2, 30), width: 18, height: 18, byte: 255 };
    // In truth the first is sure; what the second sees is never there.
    return input(body, [{ ...body, byte: 255 }], [noise]);
  });
  const options = {
    parts: parts(24),
    weights: [1, 1],
    grid: SMALL_GRID,
    tabulate: tabulateInputs(inputs, [MAX], SIDE),
  };
  const { fits } = await crossFit([['threshold'], ['weights', 'threshold']], options);
  const [fixed, tuned] = fits;
  assert.ok(fixed!.best.mean < 1);
  assert.equal(tuned!.best.mean, 1);
  const [first, second] = tuned!.best.weights;
  assert.ok(first! > second!, `${first}:${second}`);
});

test('the search finds the best setting of its space where few images are left over for chance', async () => {
  const rng = createRng(11, 'exhaustive');
  const inputs = Array.from({ length: 30 }, () => randomInput(24, rng, 1, false));
  const grid: Grid = {
    ...{ thresholds: [0.3, 0.5, 0.7], areas: [0, 8, 30], largest: 2, tripletScores: [0.5, 0.7] },
    ...{ tripletAreas: [0, 20], gateParts: 6 },
  };
  const images = (await tabulateInputs(inputs, [MAX], 24)([[1]], gridThresholds(grid))).get(weightKey([1]))!;
  const space = gridSpace(images, new Set(STEPS), grid);
  let best = Number.NEGATIVE_INFINITY;
  for (const mask of space.masks) {
    for (const triplet of space.triplets) {
      const gates = space.gates.flatMap(({ kind, thresholds }) => thresholds.map((threshold) => ({ kind, threshold })));
      for (const gate of [undefined, ...gates]) {
        const setting: Setting = { ...mask, triplet, gate };
        best = Math.max(best, meanOf(scoreSetting(images, setting).dice));
      }
    }
  }
  const found = searchBest(prepareSpace(images, space), new Uint8Array(30).fill(1));
  assert.ok(Math.abs(found.mean - best) < 1e-12, `${found.mean} of ${best}`);
  assert.ok(Math.abs(meanOf(scoreSetting(images, found.setting).dice) - found.mean) < 1e-12);
});

test('the cross-fitted figure is true where the naive one flatters: 50 repetitions', async () => {
  const results = await tuneOnChance({ repetitions: 50, images: 100, newImages: 2000, gated: false });
  const bias = (figure: 'naive' | 'honest') => meanOf(results.map((each) => each[figure] - each.truth));
  assert.ok(Math.abs(bias('honest')) < 0.002, `honest ${bias('honest')}`);
  assert.ok(bias('naive') > 0.01, `naive ${bias('naive')}`);
});

test('weights: proportions once each, and halfway to their neighbours', () => {
  assert.deepEqual(weightGrid(1), [[1]]);
  assert.deepEqual(weightGrid(2), [
    [1, 1],
    [1, 3],
    [3, 1],
  ]);
  assert.equal(weightGrid(3).length, 7);
  assert.equal(weightKey([1, 1]), weightKey([4, 4]));
  assert.deepEqual(weightNeighbours([1, 3]), [
    [1, 7],
    [3, 5],
  ]);
  assert.deepEqual(weightNeighbours([1]), []);
});
