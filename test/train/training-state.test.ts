import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { saveCheckpoint } from '../../src/models/checkpoint.ts';
import { findTrainingState } from '../../src/train/training-state.ts';

const folder = await mkdtemp(join(tmpdir(), 'training-state-'));
after(async () => await rm(folder, { recursive: true }));

const array = (...values: number[]) => ({ shape: [values.length], data: Float32Array.from(values) });
/** Whose mean no float32 holds. */
const SUMS = new Map([['w', { shape: [2], data: Float64Array.of(1 / 3, 1e300) }]]);

async function save(runDir: string, id: string, epoch: number, batch: number): Promise<void> {
  const state = {
    ...{ epoch, batch, update: epoch * 4 + batch, losses: [0.1], mixture: { seen: 3, positive: 1 }, scores: [0.5] },
    counters: { updates: 9, batches: 20, waiting: 0, followed: 0, loss_scale: { scale: 1, good: 0 } },
    averages: { count: 2, followed: 0 },
    bests: { 'best-dice': { id: 'epoch-0001', sha256: 'a', metrics: { 'val/dice': 0.5 } } },
    ranked: [{ id: 'epoch-0001', dice: 0.5 }],
  };
  const training = { optimizer: new Map([['w/m', array(batch)]]), sums: SUMS };
  await saveCheckpoint(runDir, id, { weights: new Map([['w', array(epoch, batch)]]), training, state });
}

async function makeRun(name: string): Promise<string> {
  const runDir = join(folder, name);
  await save(runDir, 'epoch-0001', 1, 0);
  await save(runDir, 'update-000007', 1, 3);
  await save(runDir, 'update-000005', 1, 1);
  return runDir;
}

async function find(runDir: string) {
  const warnings: string[] = [];
  const state = await findTrainingState(runDir, { warn: (line) => void warnings.push(line) });
  return { state, warnings };
}

test('the furthest checkpoint is gone on from, with everything in it', async () => {
  const { state, warnings } = await find(await makeRun('whole'));
  assert.deepEqual(warnings, []);
  assert.equal(state!.id, 'update-000007');
  assert.deepEqual(state!.progress, {
    ...{ epoch: 1, batch: 3, update: 7, losses: [0.1], mixture: { seen: 3, positive: 1 }, scores: [0.5] },
    ...{ skipped: 0, broken: 0, averaging: false },
  });
  assert.deepEqual([...state!.weights.get('w')!.data], [1, 3]);
  assert.deepEqual([...state!.step.arrays.get('w/m')!.data], [3]);
  assert.deepEqual(state!.averages, { count: 2, followed: 0, sums: SUMS });
  assert.equal(state!.ranking.bests['best-dice']!.id, 'epoch-0001');
  assert.deepEqual(state!.ranking.ranked, [{ id: 'epoch-0001', dice: 0.5 }]);
  assert.equal((await find(join(folder, 'nothing'))).state, undefined);
});

test('a figure that is no number, as the Dice on positives where none are held out, is no damage', async () => {
  const runDir = join(folder, 'no-positives');
  const metrics = { 'val/dice': 1, 'val/dice_positive': Number.NaN };
  const state = {
    ...{ epoch: 1, batch: 0, update: 4, losses: [], mixture: { seen: 3, positive: 1 }, scores: [1] },
    counters: { updates: 4, batches: 4, waiting: 0, followed: 0, loss_scale: { scale: 1, good: 0 } },
    averages: { count: 0, followed: 0 },
    bests: { 'best-dice': { id: 'epoch-0001', sha256: 'a', metrics } },
    metrics,
  };
  const training = { optimizer: new Map([['w/m', array(1)]]), sums: SUMS };
  await saveCheckpoint(runDir, 'epoch-0001', { weights: new Map([['w', array(1)]]), training, state });
  const found = await find(runDir);
  assert.deepEqual(found.warnings, []);
  assert.deepEqual(found.state!.metrics, metrics);
  assert.deepEqual(found.state!.ranking.bests['best-dice']!.metrics, metrics);
});

const DAMAGES: [title: string, damage: (dir: string) => Promise<void>][] = [
  [
    'one flipped bit of the weights',
    async (dir) => {
      const bytes = await readFile(join(dir, 'weights.safetensors'));
      bytes[bytes.length - 3]! ^= 1;
      await writeFile(join(dir, 'weights.safetensors'), bytes);
    },
  ],
  ['a manifest that is cut off', async (dir) => await truncate(join(dir, 'manifest.json'), 40)],
  ['a state that is cut off', async (dir) => await truncate(join(dir, 'state.json'), 40)],
  ['an optimizer that is gone', async (dir) => await rm(join(dir, 'optimizer.safetensors'))],
  ['a state of an earlier version', async (dir) => await writeFile(join(dir, 'state.json'), '{"epoch":1,"update":7}')],
];
for (const [title, damage] of DAMAGES) {
  test(`${title}: the checkpoint is named, and the one before it taken`, async () => {
    const runDir = await makeRun(title);
    await damage(join(runDir, 'checkpoints/update-000007'));
    const { state, warnings } = await find(runDir);
    assert.equal(state!.id, 'update-000005');
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /^checkpoint update-000007 is damaged and not gone on from: /);
  });
}
