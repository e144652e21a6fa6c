import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseExperiment } from '../../src/config/experiment.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import type { Batch } from '../../src/data/batch.ts';
import { openJournal, readJournal } from '../../src/tracking/journal.ts';
import { createAverages } from '../../src/train/averages.ts';
import { fit } from '../../src/train/fit.ts';
import type { Checkpoints, SavedCheckpoint } from '../../src/train/keep-checkpoints.ts';
import { beginning } from '../../src/train/progress.ts';
import type { TrainStep } from '../../src/train/step.ts';
import { indices, RESOLUTION, writeDataset } from '../data/loader-fixture.ts';

const EXPERIMENT = new URL('../../experiments/quickstart.yml', import.meta.url).pathname;

/** What a step was told, in order: `gather 4` images, or `apply` at a learning rate over the images that were gathered. */
type Call = { gathered: number } | { lr: number; images: number };

/** A step whose loss is the number of the batch, and which does what the real one does with the images that wait. */
function writtenDown(broken: ReadonlySet<number>): { step: TrainStep; calls: Call[] } {
  const calls: Call[] = [];
  let [batches, waiting, bad] = [0, 0, false];
  const accumulate = ({ count }: Batch) => {
    bad = broken.has(++batches);
    if (!bad) waiting += count;
    calls.push({ gathered: count });
    return bad ? Number.NaN : batches;
  };
  const apply = (lr: number) => {
    assert.ok(waiting > 0, 'there is something to apply');
    calls.push({ lr, images: waiting });
    [waiting, bad] = [0, false];
  };
  const nonFinite = () => (bad ? { loss: Number.NaN, gradients: [], seed: new Int32Array(2) } : undefined);
  const step = { accumulate, apply, nonFinite, train: () => {}, gradientNorm: () => undefined };
  return { step: step as unknown as TrainStep, calls };
}

/** Half a cosine from 1 at the first of six updates, by hand: (1 + cos 30°) / 2 = 0.933…, (1 + cos 60°) / 2 = 0.75 and so on. */
const RATES = [1, (2 + Math.sqrt(3)) / 4, 3 / 4, 1 / 2, 1 / 4, (2 - Math.sqrt(3)) / 4] as const;

/** Trains 7 batches of 4 an epoch, 3 of them an update, for 2 epochs; `broken` are those without a number, counted from 1. */
async function train(broken: number[] = [], from = beginning()) {
  const folder = await mkdtemp(join(tmpdir(), 'fit-'));
  const dataset = await writeDataset(
    30,
    () => new Int32Array(0),
    () => 0,
  );
  const journal = await openJournal(folder);
  const words = {
    ...{ resolution: String(RESOLUTION), batch_size: '4', accumulation_steps: '3', epochs: '2', swa_epochs: '0' },
    ...{ lr_schedule: '{ name: cosine, lr: 1.0 }', augment: '[]', 'data.sampler': 'null' },
  };
  const experiment = await parseExperiment(EXPERIMENT, words);
  const { step, calls } = writtenDown(new Set(broken));
  const saved: SavedCheckpoint = { id: 'epoch', sha256: '', names: [], metrics: {} as SavedCheckpoint['metrics'] };
  const checkpoints: Checkpoints = { save: async () => saved, saveState: async () => {}, best: () => saved };
  const averages = createAverages(experiment, step);
  const parts = { step, averages, checkpoints, journal, terminal: silentTerminal };
  const split = { train: indices(30), validation: [] };
  const signal = new AbortController().signal;
  try {
    await fit({ runDir: folder, experiment, dataset, split, ...parts, signal, workers: 1 }, from);
  } finally {
    journal.close();
    await dataset.remove();
  }
  const points = readJournal(join(folder, 'journal.jsonl')).flatMap((entry) =>
    entry.type === 'metrics' && ('lr' in entry.values || 'train/skipped_batches' in entry.values)
      ? [{ step: entry.step, values: entry.values as Record<string, number> }]
      : [],
  );
  await rm(folder, { recursive: true });
  return { calls, points };
}

/** To twelve digits: the schedule's cosine and the root by hand may differ in the last one. */
function rounded<T>(value: T): T {
  return JSON.parse(JSON.stringify(value, (_, part) => (typeof part === 'number' ? Number(part.toFixed(12)) : part)));
}

test('a ragged last group is applied by what it holds, at the end of its epoch; schedules count updates', async () => {
  const { calls, points } = await train();
  const gathered = { gathered: 4 };
  // By hand: 30 images make 7 batches of 4; groups of 3, 3 and 1 of them; three updates an epoch, six in all.
  const epoch = (lrs: [number, number, number]): Call[] => [
    ...[gathered, gathered, gathered, { lr: lrs[0], images: 12 }],
    ...[gathered, gathered, gathered, { lr: lrs[1], images: 12 }],
    ...[gathered, { lr: lrs[2], images: 4 }],
  ];
  const [a, b, c, d, e, f] = RATES;
  assert.deepEqual(rounded(calls), rounded([...epoch([a, b, c]), ...epoch([d, e, f])]));
  assert.deepEqual(
    rounded(points.map(({ step, values }) => [step, values.lr, values['train/loss']])),
    rounded([
      [1, RATES[0], (1 + 2 + 3) / 3],
      [2, RATES[1], (4 + 5 + 6) / 3],
      [3, RATES[2], 7],
      [4, RATES[3], (8 + 9 + 10) / 3],
      [5, RATES[4], (11 + 12 + 13) / 3],
      [6, RATES[5], 14],
    ]),
  );
});

test('a batch without numbers is left out of its group; a group of none makes no update and the schedule goes on', async () => {
  const { calls, points } = await train([2, 7, 11, 12]);
  const applied = calls.flatMap((call) => ('lr' in call ? [[call.lr, call.images]] : []));
  const made = [
    [RATES[0], 8],
    [RATES[1], 12],
    [RATES[3], 12],
    [RATES[4], 4],
    [RATES[5], 4],
  ]; // The third is of nothing.
  assert.deepEqual(rounded(applied), rounded(made));
  assert.deepEqual(
    points.map(({ step, values }) => [step, values['train/loss'], values['train/skipped_batches']]),
    [
      [1, (1 + 3) / 2, 1],
      [2, (4 + 5 + 6) / 3, undefined],
      [3, undefined, 1],
      [4, (8 + 9 + 10) / 3, undefined],
      [5, 13, 2],
      [6, 14, undefined],
    ],
  );
});

test('batches that were left out before a run was taken up do not end it while its own are numbers', async () => {
  const { points } = await train([], { ...beginning(), broken: 9 });
  assert.equal(points.length, 6);
});
