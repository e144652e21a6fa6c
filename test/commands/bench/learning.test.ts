import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  deviationOf,
  epochsUntilFound,
  type Learned,
  learningGoals,
  type SeedLearned,
} from '../../../src/commands/bench/learning/figures.ts';
import { type Arm, armExperiment, readLearningPlan } from '../../../src/commands/bench/learning/plan.ts';
import { learningReport } from '../../../src/commands/bench/learning/report.ts';
import { UserError } from '../../../src/core/errors.ts';

/** A training with these Dice values after its epochs, overall and on positives. */
function learned(dice: number[], positive: number[], more: Partial<Learned> = {}): Learned {
  return {
    epochs: dice.map((value, epoch) => ({ dice: value, dice_positive: positive[epoch]!, dice_empty: value })),
    losses: [2, 1.5, 1],
    rates: [1e-3, 5e-4, 1e-5],
    parameters: 5000,
    training: { images: 240, positives: 60 },
    validation: { images: 120, positives: 26, dice_all_empty: 0.75 },
    versions: { keras: '3.0' },
    ...more,
  };
}

function seedOf(seed: number, ours: number, keras: number, swa: number): SeedLearned {
  const average = { swa: { dice: swa, dice_positive: 0.8, dice_empty: 0.9 } };
  const pair = {
    ours: learned([0.7, ours], [0.5, 0.7], average),
    keras: learned([0.6, keras], [0.3, 0.6], { losses: [2, 1.6, 1] }),
  };
  const half = { ours: learned([0.7, ours - 0.1], [0.5, 0.7], average), keras: pair.keras };
  return {
    seed,
    first: { ...half, natural: learned([0.75, 0.76], [0, 0.1]) },
    second: pair,
    averaged: learned([0.8, 0.82], [0.5, 0.7], average),
  };
}

const SEEDS = [seedOf(1, 0.86, 0.83, 0.87), seedOf(2, 0.84, 0.85, 0.86)];

test('goals are held against means over the seeds', () => {
  const rounded = learningGoals(SEEDS).map(({ value, reached }) => [value.toFixed(4), reached]);
  assert.deepEqual(rounded, [
    ['0.1000', true],
    ['0.0100', true],
    ['0.0900', false],
    ['0.0450', true],
    ['0.0650', true],
    ['2.0000', true],
  ]);
  const worse = learningGoals([seedOf(1, 0.76, 0.79, 0.7)]);
  assert.deepEqual(
    worse.map(({ reached }) => reached),
    [false, false, false, false, false, true],
  );
  const { first, ...rest } = SEEDS[0]!;
  const alike = learningGoals([{ ...rest, first: { ...first, natural: first.ours } }]);
  assert.equal(alike.at(-1)!.reached, false, 'as soon is not sooner');
});

test('positives are found at the first epoch of the Dice wanted, else one after the last', () => {
  assert.equal(epochsUntilFound(learned([0, 0, 0], [0.49, 0.5, 0.2])), 2);
  assert.equal(epochsUntilFound(learned([0, 0, 0], [0, 0, 0.3])), 4);
  assert.ok(Math.abs(deviationOf([1, 2, 3, 4]) - Math.sqrt(5 / 3)) < 1e-12);
});

test('the report has every seed, the means, and how long both sides were one computation', () => {
  const machine = { processor: 'a processor', cores: 2, memory_gb: 25, system: 'a system' };
  const head = { command: 'npm run bench learning', date: '2019-09-01', machine, plan: readLearningPlan({}) };
  const report = learningReport(head, SEEDS);
  assert.match(report, /^1\. 128², from random weights: 3 updates in 8 epochs, cosine from 1e-3\.$/m);
  assert.match(report, /^\| second stage: .* means apart \| at most 0\.02 \| 0\.0100 \| yes \|$/m);
  assert.match(report, /^\| 1 \| 0\.8600 \| 0\.8300 \| 0\.0300 \| 0\.7000 \| 0\.6000 \| 1\.2500 \| 1\.3000 \|$/m);
  assert.match(report, /difference of 0\.0100 has a standard error of 0\.0200 and is within that spread\./);
  assert.match(report, /^\| 2 \| 0\.8400 \| 0\.8500 \| −0\.0100 \|/m);
  assert.match(report, /^\| mean ± sd \| 0\.8500 ± 0\.0141 \| 0\.8400 ± 0\.0141 \| 0\.0100 ± 0\.0283 \|/m);
  assert.match(report, /first at update 2, 2 \(by seed\)/);
  assert.match(report, /1 of 2 seeds end within 0\.02/);
  assert.match(report, /^\| 2 \| 0\.7500 \| 0\.8400 \| 0\.7600 \| 0\.7000 \| 0\.6000 \| 0\.1000 \|$/m);
  assert.match(report, /^\| mean ± sd \| 0\.8650 ± 0\.0071 \| 0\.8200 ± 0\.0000 \| 0\.0450 ± 0\.0071 \|$/m);
  assert.match(report, /25 % positive/);
  assert.doesNotMatch(report, /undefined|NaN/);
  assert.doesNotMatch(learningReport(head, SEEDS.slice(0, 1)), /undefined|NaN/);
});

test('Keras trains what we train; images as they come have no sampler; the second stage is twice as large', async () => {
  const plan = readLearningPlan({ epochs: '2,3', images: '24', resolution: '64', seeds: '3,1' });
  assert.deepEqual(plan, { seeds: [3, 1], images: 24, epochs: [2, 3], resolution: 64 });
  const experiment = (by: Arm['by'], stage: Arm['stage']) => armExperiment(plan, { stage, by }, 3, '/a folder');
  const ours = await experiment('ours', 'first');
  assert.deepEqual(await experiment('keras', 'first'), ours);
  assert.deepEqual([ours.resolution, ours.epochs, ours.swa_epochs, ours.seed], [32, 2, 2, 3]);
  assert.deepEqual([ours.data.root, ours.data.phantom], ['/a folder/phantom-24', { images: 24, seed: 1 }]);
  const natural = await experiment('natural', 'first');
  assert.deepEqual([ours.data.sampler, natural.data.sampler], [{ positive_fraction: 0.4 }, undefined]);
  const second = await experiment('ours', 'second');
  assert.deepEqual([second.resolution, second.epochs], [64, 3]);
  const averaged = await experiment('ours', 'averaged');
  assert.deepEqual([averaged.resolution, averaged.lr_schedule], [32, { name: 'constant', lr: 5e-4 }]);
  assert.equal(averaged.swa_epochs, averaged.epochs);
});

for (const [key, value] of [
  ['rounds', '1'],
  ['seeds', '1,1'],
  ['seeds', '1,,2'],
  ['epochs', '8'],
  ['epochs', '8,1'],
  ['resolution', '96'],
] as const) {
  test(`bench learning refuses ${key}=${value}`, () => {
    assert.throws(() => readLearningPlan({ [key]: value }), UserError);
  });
}
