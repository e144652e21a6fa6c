import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentTerminal } from '../../src/core/terminal.ts';
import { checkpointDir, findCheckpoint, readCheckpointIndex } from '../../src/models/checkpoint.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import { type CheckpointParts, type Checkpoints, keepCheckpoints } from '../../src/train/keep-checkpoints.ts';
import { beginning, type Progress } from '../../src/train/progress.ts';
import type { TrainStep } from '../../src/train/step.ts';
import { findTrainingState } from '../../src/train/training-state.ts';
import type { Validation } from '../../src/train/validate.ts';

const folder = await mkdtemp(join(tmpdir(), 'keep-checkpoints-'));
after(async () => await rm(folder, { recursive: true }));

const array = (value: number) => ({ shape: [1], data: Float32Array.of(value) });
const counters = { updates: 1, batches: 1, waiting: 0, followed: 0, loss_scale: { scale: 1, good: 0 } };

/** A run whose epochs are validated to whatever is asked; its network is one number. */
async function openRun(name: string, keepTopK: number, resumed?: CheckpointParts['resumed']) {
  const runDir = join(folder, name);
  const journal = await openJournal(runDir);
  const step = {
    readWeights: () => new Map([['w', array(1)]]),
    readState: () => ({ arrays: new Map([['w/m', array(2)]]), counters }),
  } as unknown as TrainStep;
  const averages = {
    afterUpdate: () => {},
    afterEpoch: () => {},
    readState: () => ({ count: 0, sums: new Map(), followed: 0 }),
    results: () => [],
  };
  const checkpoints = await keepCheckpoints({ runDir, step, averages, journal, keepTopK, resumed });
  return { runDir, checkpoints };
}

function validation(dice: number, loss = 1): Validation {
  const summary = { dice, dice_positive: dice, dice_empty: 1, iou: dice, dice_all_empty: 0.5 };
  return { loss, summary, presenceAuc: undefined } as unknown as Validation;
}

/** Saves epochs of these Dice, one after the other; returns the names that each has got. */
async function saveEpochs(checkpoints: Checkpoints, progress: Progress, dices: readonly number[]): Promise<string[][]> {
  const names: string[][] = [];
  for (const dice of dices) {
    progress.epoch++;
    progress.update += 10;
    const id = `epoch-000${progress.epoch}`;
    names.push((await checkpoints.save(id, progress, async () => validation(dice))).names);
  }
  return names;
}

const TOP = ['top-1', 'top-2', 'top-3'] as const;
const topOf = async (runDir: string) => {
  const index = await readCheckpointIndex(runDir);
  return TOP.map((name) => index[name]);
};

test('the best k epochs by Dice are kept, the earlier of equals first, and no other', async () => {
  const { runDir, checkpoints } = await openRun('top', 3);
  const names = await saveEpochs(checkpoints, beginning(), [0.5, 0.7, 0.6, 0.7, 0.2]);
  assert.deepEqual(names[1], ['best-dice', 'best-iou', 'top-1']);
  assert.deepEqual(names[2], ['top-2']);
  assert.deepEqual(names[4], []);
  assert.deepEqual(await topOf(runDir), ['epoch-0002', 'epoch-0004', 'epoch-0003']);
  assert.equal(await findCheckpoint(runDir, 'best-dice'), 'epoch-0002');
  // The first has the best loss, of equals.
  const there = [1, 2, 3, 4, 5].filter((epoch) => existsSync(checkpointDir(runDir, `epoch-000${epoch}`)));
  assert.deepEqual(there, [1, 2, 3, 4, 5]);
  await saveEpochs(checkpoints, { ...beginning(), epoch: 5 }, [0.1, 0.1]);
  assert.ok(!existsSync(checkpointDir(runDir, 'epoch-0005')));
});

test('a run that is taken up ranks its epochs as if it had never been stopped, with another k too', async () => {
  const { checkpoints } = await openRun('resumed', 2);
  await saveEpochs(checkpoints, beginning(), [0.5, 0.7, 0.6]);
  const { runDir } = await openRun('resumed', 2);
  const { id, ranking, progress } = (await findTrainingState(runDir, silentTerminal))!;
  const again = await openRun('resumed', 2, { id, ranking });
  await saveEpochs(again.checkpoints, progress, [0.65, 0.1]);
  assert.deepEqual(await topOf(runDir), ['epoch-0002', 'epoch-0004', undefined]);
  // The third best of the run is gone by now: no other one is called so, until three better ones are there.
  const { id: later, ranking: by, progress: then } = (await findTrainingState(runDir, silentTerminal))!;
  const wider = await openRun('resumed', 3, { id: later, ranking: by });
  assert.deepEqual(await topOf(runDir), ['epoch-0002', 'epoch-0004', undefined]);
  await saveEpochs(wider.checkpoints, then, [0.9]);
  assert.deepEqual(await topOf(runDir), ['epoch-0006', 'epoch-0002', 'epoch-0004']);
  const narrower = (await findTrainingState(runDir, silentTerminal))!;
  await openRun('resumed', 1, { id: narrower.id, ranking: narrower.ranking });
  assert.deepEqual(await topOf(runDir), ['epoch-0006', undefined, undefined]);
});

test('a run that died between its last checkpoint and that one’s names has them when it is taken up', async () => {
  const { runDir, checkpoints } = await openRun('unnamed', 1);
  await saveEpochs(checkpoints, beginning(), [0.5]);
  const index = await readFile(join(runDir, 'checkpoints/index.json'), 'utf8');
  await saveEpochs(checkpoints, { ...beginning(), epoch: 1, update: 10 }, [0.8]);
  await writeFile(join(runDir, 'checkpoints/index.json'), index);
  const { id, ranking } = (await findTrainingState(runDir, silentTerminal))!;
  assert.equal(id, 'epoch-0002');
  await openRun('unnamed', 1, { id, ranking });
  const { previous, last, ...best } = await readCheckpointIndex(runDir);
  assert.deepEqual(
    [previous, last, best['best-dice'], best['top-1']],
    ['epoch-0001', 'epoch-0002', 'epoch-0002', 'epoch-0002'],
  );
});

test('behind a damaged checkpoint that is gone back from there is a whole one before the next', async () => {
  const { runDir, checkpoints } = await openRun('damaged', 0);
  await saveEpochs(checkpoints, beginning(), [0.5, 0.8]);
  await writeFile(join(checkpointDir(runDir, 'epoch-0002'), 'weights.safetensors'), 'damaged');
  const { id, ranking, progress } = (await findTrainingState(runDir, silentTerminal))!;
  assert.equal(id, 'epoch-0001');
  const again = await openRun('damaged', 0, { id, ranking });
  assert.equal((await readCheckpointIndex(runDir)).previous, undefined);
  await saveEpochs(again.checkpoints, progress, [0.8]);
  const { previous, last } = await readCheckpointIndex(runDir);
  assert.deepEqual([previous, last], ['epoch-0001', 'epoch-0002']);
  assert.equal((await findTrainingState(runDir, { warn: assert.fail }))!.id, 'epoch-0002');
});
