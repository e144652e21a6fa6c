import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { readAttempt, writeEnd } from '../../src/jobs/attempt.ts';
import { driveSweep } from '../../src/jobs/drive-sweep.ts';
import type { Executor, Job } from '../../src/jobs/executor.ts';
import { makeRequest } from '../../src/jobs/requests.ts';
import { type NewEvent, openEvents, readEvents } from '../../src/jobs/sweep-events.ts';
import { type PlannedUnit, type SweepPlan, sweepFiles, writePlan } from '../../src/jobs/sweep-plan.ts';
import { initialState, takeEvent } from '../../src/jobs/sweep-state.ts';
import { indexUnits } from '../../src/jobs/sweeping.ts';
import { openJournal } from '../../src/tracking/journal.ts';

const folder = await mkdtemp(join(tmpdir(), 'drive-'));
after(async () => await rm(folder, { recursive: true }));

/** What an attempt does: ends with an exit code, is killed without a word, or goes on until it is told to stop. */
type Doing = number | 'killed' | 'goes on';

interface Setting {
  units: Partial<PlannedUnit>[];
  /** By unit, for each of its attempts in turn; the last one for all further ones; 0 where left out. */
  doing?: Record<string, Doing[]>;
  plan?: Partial<SweepPlan>;
  executor?: Partial<Executor>;
  /** What was noted by one that drove before. */
  before?: NewEvent[];
  /** Called before each turn but the first. */
  turn?: (dir: string, count: number) => Promise<void>;
  /** Dice by unit: what its run logs of the epochs up to the one that it is to stop after. */
  dice?: Record<string, number>;
  /** Units whose runs have a journal that cannot be read. */
  damaged?: string[];
}

let count = 0;

/** Drives a sweep whose engine is a table; what was handed over, in order, and where each unit ended. */
async function drive({
  units,
  doing = {},
  plan: own = {},
  executor: other = {},
  before = [],
  turn,
  dice = {},
  damaged = [],
}: Setting) {
  const id = `20261129-00000${++count}-s`;
  const runsDir = join(folder, String(count));
  const dir = join(runsDir, id);
  await mkdir(dir, { recursive: true });
  const filled = units.map(({ id: unit = 't01', ...rest }): PlannedUnit => {
    return {
      id: unit,
      trial: unit.slice(0, 3),
      stage: 0,
      file: 'x.yml',
      run_id: `${id}-${unit}`,
      words: ['exp', 'x.yml'],
      epochs: 6,
      ...rest,
    };
  });
  const named = { format: 1 as const, name: 's', run_id: id, file: 's.yml', cwd: folder, experiment: 'e', trials: [] };
  const plan: SweepPlan = { ...named, units: filled, jobs: { executor: 'local' }, retries: 1, ...own };
  await writePlan(dir, plan, {});
  const events = sweepFiles(dir).events;
  const state = initialState(plan);
  const log = openEvents(events, (event) => takeEvent(state, event));
  log.append(...before);
  const handed: string[] = [];
  const running = new Set<string>();
  const engine: Executor = {
    atOnce: 2,
    check: async () => {},
    submit: async (jobs: readonly Job[]) => {
      for (const { file } of jobs) {
        const [unit = '', attempt] = basename(file, '.json').split('.');
        handed.push(`${unit}.${attempt}`);
        const turns = doing[unit] ?? [0];
        const what = turns[Number(attempt) - 1] ?? turns.at(-1)!;
        const { words } = await readAttempt(file);
        const until = words.find((word) => word.startsWith('until_epoch='))?.slice('until_epoch='.length);
        if (damaged.includes(unit)) {
          await mkdir(join(runsDir, `${id}-${unit}`));
          await writeFile(join(runsDir, `${id}-${unit}`, 'journal.jsonl'), '{"type":"run" torn\n');
        }
        if (dice[unit] !== undefined) await logDice(join(runsDir, `${id}-${unit}`), Number(until ?? 6), dice[unit]);
        if (what === 'goes on') running.add(file);
        else if (what !== 'killed')
          writeEnd(file, { code: until === undefined ? what : 75, host: 'h', started: 0, ended: 1 });
      }
      return jobs.map(({ file }) => file);
    },
    status: async (handles) => new Map(handles.map((handle) => [handle, running.has(handle) ? 'running' : 'gone'])),
    logs: async () => '',
    cancel: async (handles) => {
      for (const handle of handles) {
        running.delete(handle);
        writeEnd(handle, { code: 143, host: 'h', started: 0, ended: 1 });
      }
    },
    list: async () => new Map(),
    wait: async () => await turn?.(dir, ++turns),
    ...other,
  };
  let turns = 0;
  const closed: string[] = [];
  const closeRun = async (unit: PlannedUnit, status: string) => void closed.push(`${unit.id} ${status}`);
  const sweep = {
    dir,
    runsDir,
    plan,
    state,
    log,
    executor: engine,
    terminal: silentTerminal,
    ...indexUnits(plan, state),
    closeRun,
  };
  const status = await driveSweep(sweep, AbortSignal.timeout(60_000));
  log.close();
  const folded = initialState(plan);
  for (const event of readEvents(events).events) takeEvent(folded, event);
  assert.deepEqual(folded, state, 'the state is what the file says');
  const ends = Object.fromEntries([...state.units].map(([unit, { status: end }]) => [unit, end]));
  return { status, handed, ends, closed, state };
}

async function logDice(runDir: string, epochs: number, dice: number): Promise<void> {
  const journal = await openJournal(runDir);
  journal.run({ run_id: basename(runDir), name: 'u', experiment: 'e', params: { epochs: '6' }, tags: {} });
  for (let epoch = 1; epoch <= epochs; epoch++) journal.metrics({ 'val/dice': dice }, epoch);
  journal.close();
}

test('units end, are begun again where that may help, and those behind them follow or are left out', async () => {
  const { status, handed, ends, closed } = await drive({
    units: [
      { id: 't01' },
      { id: 't02' },
      { id: 't03' },
      { id: 't04-1' },
      { id: 't04-2', stage: 1, after: 't04-1' },
      { id: 't05-1' },
      { id: 't05-2', stage: 1, after: 't05-1' },
    ],
    doing: { t01: [1, 0], t02: [2], t03: ['killed'], 't05-1': [2] },
  });
  assert.equal(status, 'FAILED');
  assert.deepEqual(ends, {
    t01: 'finished',
    t02: 'refused',
    t03: 'failed',
    't04-1': 'finished',
    't04-2': 'finished',
    't05-1': 'refused',
    't05-2': 'skipped',
  });
  assert.deepEqual([...handed].sort(), ['t01.1', 't01.2', 't02.1', 't03.1', 't03.2', 't04-1.1', 't04-2.1', 't05-1.1']);
  assert.deepEqual(handed.slice(0, 2), ['t01.1', 't02.1'], 'in the order of the plan');
  assert.deepEqual([...closed].sort(), ['t02 FAILED', 't03 FAILED', 't05-1 FAILED', 't05-2 KILLED']);
});

test('what is cancelled saves and stops, or never begins', async () => {
  const all = await drive({
    units: [{ id: 't01' }, { id: 't02' }, { id: 't03' }],
    doing: { t01: ['goes on'], t02: ['goes on'] },
    turn: async (dir, turns) => {
      if (turns === 2) await makeRequest(dir, { cancel: 'all' });
    },
  });
  assert.equal(all.status, 'KILLED');
  assert.deepEqual(all.ends, { t01: 'cancelled', t02: 'cancelled', t03: 'cancelled' });
  assert.deepEqual(all.handed, ['t01.1', 't02.1']);

  const one = await drive({
    units: [{ id: 't01' }, { id: 't02' }],
    doing: { t01: ['goes on', 0], t02: ['goes on'] },
    turn: async (dir, turns) => {
      if (turns === 1) await makeRequest(dir, { cancel: 't01' });
      if (turns === 4) await makeRequest(dir, { retry: 'cancelled' });
      if (turns === 8) await makeRequest(dir, { cancel: 't02' });
    },
  });
  assert.deepEqual(one.ends, { t01: 'finished', t02: 'cancelled' });
  assert.deepEqual(one.handed, ['t01.1', 't02.1', 't01.2']);
});

test('whoever takes up a sweep asks the engine for those that were on their way to it', async () => {
  const handing = (unit: string): NewEvent => ({ type: 'handing', unit, attempt: 1 });
  const known = await drive({
    units: [{ id: 't01' }, { id: 't02' }],
    before: [handing('t01'), handing('t02')],
    executor: { list: async (sweep) => new Map([[`${sweep}.t01.1`, 'there']]) },
    doing: { t01: [0] },
  });
  // The engine has it no more, and it left no word: killed, so it is begun again; the other one never came there.
  assert.deepEqual(known.handed.sort(), ['t01.2', 't02.1']);
  assert.deepEqual(known.ends, { t01: 'finished', t02: 'finished' });
});

test('what is asked for is done in the order in which it was asked', async () => {
  const { ends, handed } = await drive({
    units: [{ id: 't01' }, { id: 't02' }],
    doing: { t01: [2, 0], t02: ['goes on'] },
    turn: async (dir, turns) => {
      if (turns !== 2) return;
      await makeRequest(dir, { retry: 'failed' });
      await makeRequest(dir, { cancel: 'all' });
    },
  });
  assert.deepEqual(ends, { t01: 'cancelled', t02: 'cancelled' });
  assert.deepEqual(handed, ['t01.1', 't02.1']);
});

test('a later stage is not begun again where the one before it came to nothing', async () => {
  const { ends, status } = await drive({
    units: [{ id: 't01-1' }, { id: 't01-2', stage: 1, after: 't01-1' }, { id: 't02' }],
    doing: { 't01-1': ['goes on', 2], t02: ['goes on', 0] },
    turn: async (dir, turns) => {
      if (turns === 1) await makeRequest(dir, { cancel: 't01-2' });
      if (turns === 3) await makeRequest(dir, { cancel: 't01-1' });
      if (turns === 6) await makeRequest(dir, { cancel: 't02' });
    },
    plan: { retries: 0 },
  });
  assert.deepEqual(ends, { 't01-1': 'cancelled', 't01-2': 'cancelled', t02: 'cancelled' });
  assert.equal(status, 'KILLED');
  const refused = await drive({
    units: [{ id: 't01-1' }, { id: 't01-2', stage: 1, after: 't01-1' }, { id: 't02' }],
    before: [
      { type: 'dropped', unit: 't01-2', outcome: 'cancelled', why: 'cancelled' },
      { type: 'ended', unit: 't01-1', attempt: 1, outcome: 'refused', again: false },
    ],
    doing: { t02: ['goes on'] },
    turn: async (dir, turns) => {
      if (turns === 1) await makeRequest(dir, { retry: 'cancelled' });
      if (turns === 3) await makeRequest(dir, { cancel: 't02' });
      assert.ok(turns < 20, 'it ends');
    },
  });
  assert.deepEqual(refused.ends, { 't01-1': 'refused', 't01-2': 'cancelled', t02: 'cancelled' });
});

test('the runs of units that had ended when a driver died are ended by the next one', async () => {
  const { closed } = await drive({
    units: [{ id: 't01' }, { id: 't02' }],
    before: [{ type: 'dropped', unit: 't01', outcome: 'stopped', why: 'worse' }],
  });
  assert.deepEqual(closed, ['t01 KILLED']);
});

test('a run whose journal is damaged fails its unit, and no other', async () => {
  const { ends, state } = await drive({ units: [{ id: 't01' }, { id: 't02' }], damaged: ['t01'] });
  assert.deepEqual(ends, { t01: 'refused', t02: 'finished' });
  assert.match(state.units.get('t01')!.why!, /journal/);
});

test('what an engine took of several before it refused the rest is watched', async () => {
  const { ends } = await drive({
    units: [{ id: 't01' }, { id: 't02' }],
    executor: {
      submit: async (jobs) => {
        writeEnd(jobs[0]!.file, { code: 0, host: 'h', started: 0, ended: 1 });
        throw new UserError('too many');
      },
      list: async (sweep) => new Map([[`${sweep}.t01.1`, 'there']]),
    },
  });
  assert.deepEqual(ends, { t01: 'finished', t02: 'refused' });
});

test('halving lets a later stage that trains already end, and stops what waits', async () => {
  const { ends, handed } = await drive({
    units: [
      { id: 't01-1', trial: 't01', epochs: 1 },
      { id: 't02-1', trial: 't02' },
      { id: 't03-1', trial: 't03' },
      { id: 't01-2', trial: 't01', stage: 1, after: 't01-1' },
      { id: 't01-3', trial: 't01', stage: 2, after: 't01-2' },
    ],
    plan: { halving: { first_epoch: 2, factor: 2, margin: 0 } },
    dice: { 't01-1': 0.1, 't02-1': 0.8, 't03-1': 0.9 },
    doing: { 't01-2': ['goes on'] },
    turn: async (dir, turns) => {
      if (turns === 12) await makeRequest(dir, { cancel: 't01-2' });
      assert.ok(turns < 60, 'it ends');
    },
  });
  const finished = { 't01-1': 'finished', 't02-1': 'stopped', 't03-1': 'finished' };
  assert.deepEqual(ends, { ...finished, 't01-2': 'cancelled', 't01-3': 'stopped' });
  assert.ok(handed.includes('t03-1.2'));
});

test('who drives next does not tell an attempt a second time to stop', async () => {
  let asked = 0;
  const { ends } = await drive({
    units: [{ id: 't01' }],
    before: [
      { type: 'handing', unit: 't01', attempt: 1 },
      { type: 'handed', unit: 't01', attempt: 1, handle: 'there' },
      { type: 'cancelling', units: ['t01'] },
      { type: 'told', units: ['t01'] },
    ],
    executor: {
      status: async (handles) => new Map(handles.map((handle) => [handle, asked++ < 3 ? 'running' : 'gone'])),
      cancel: async () => assert.fail('it is told again'),
    },
  });
  assert.deepEqual(ends, { t01: 'cancelled' });
});

test('an engine that does not answer is asked again, what it refuses is not', async () => {
  let asked = 0;
  const { ends } = await drive({
    units: [{ id: 't01' }],
    executor: {
      status: async (handles) => {
        if (++asked === 1) throw new Error('no answer');
        return new Map(handles.map((handle) => [handle, 'gone']));
      },
    },
  });
  assert.deepEqual(ends, { t01: 'finished' });
  const refused = await drive({
    units: [{ id: 't01-1' }, { id: 't01-2', stage: 1, after: 't01-1' }],
    executor: {
      submit: async () => {
        throw new UserError('no such partition');
      },
    },
  });
  assert.deepEqual(refused.ends, { 't01-1': 'refused', 't01-2': 'skipped' });
  assert.equal(refused.state.units.get('t01-1')!.why, 'no such partition');
});

test('halving stops the worse trials and what would follow them, when all stand at the same epoch', async () => {
  const first = ['t01', 't02', 't03', 't04'].map((id) => ({ id: `${id}-1`, trial: id }));
  const { ends, handed, state, status, closed } = await drive({
    units: [...first, ...first.map(({ trial }) => ({ id: `${trial}-2`, trial, stage: 1, after: `${trial}-1` }))],
    plan: { halving: { first_epoch: 2, factor: 2, margin: 0 } },
    dice: { 't01-1': 0.5, 't02-1': 0.8, 't03-1': 0.6, 't04-1': 0.4 },
  });
  assert.equal(status, 'FINISHED');
  assert.deepEqual(
    state.halvings.map(({ epoch, kept, stopped }) => [
      epoch,
      kept.map(({ trial }) => trial),
      stopped.map(({ trial }) => trial),
    ]),
    [
      [2, ['t02', 't03'], ['t01', 't04']],
      [4, ['t02'], ['t03']],
    ],
  );
  assert.deepEqual(ends, {
    ...{ 't01-1': 'stopped', 't02-1': 'finished', 't03-1': 'stopped', 't04-1': 'stopped' },
    ...{ 't01-2': 'stopped', 't02-2': 'finished', 't03-2': 'stopped', 't04-2': 'stopped' },
  });
  assert.deepEqual(handed.slice(4), ['t02-1.2', 't03-1.2', 't02-1.3', 't02-2.1']);
  assert.equal(closed.filter((each) => each.endsWith('-1 KILLED')).length, 3);
});
