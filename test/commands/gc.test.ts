import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gcCommand } from '../../src/commands/gc.ts';
import { UserError } from '../../src/core/errors.ts';
import { tryLock } from '../../src/core/lock.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import {
  type CheckpointIndex,
  checkpointDir,
  pointCheckpoints,
  readCheckpoint,
  readCheckpointIndex,
  saveCheckpoint,
} from '../../src/models/checkpoint.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import type { RunStatus } from '../../src/tracking/journal-entry.ts';
import { findTrainingState } from '../../src/train/training-state.ts';

delete process.env.PNEUMOTHORAX_RUNS;
const folder = await mkdtemp(join(tmpdir(), 'gc-'));
after(async () => await rm(folder, { recursive: true }));

const array = (size: number) => ({ shape: [size], data: new Float32Array(size) });
/** Bytes of what only training needs, but for the headers of its files. */
const TRAINING = 4 * 200 + 8 * 100;
const state = (epoch: number) => ({
  ...{ epoch, batch: 0, update: epoch, losses: [], mixture: { seen: 0, positive: 0 }, scores: [] },
  counters: { updates: epoch, batches: epoch, waiting: 0, followed: 0, loss_scale: { scale: 1, good: 0 } },
  averages: { count: 1, followed: 0 },
  bests: {},
});

interface Made {
  status?: RunStatus;
  tags?: Record<string, string>;
  config?: string;
}

/** A folder in which somebody stands, and what is done there. */
async function makePlace(name: string) {
  const cwd = join(folder, name);
  const place = {
    cwd,
    gc: async (values: Record<string, string> = {}, ...words: string[]) => {
      const signal = new AbortController().signal;
      const { json, exitCode } = await gcCommand.run({ words, values, cwd, signal }, silentTerminal);
      const removed = (json.removed as { path: string; bytes: number }[]).map(({ path }) => path).sort();
      return { ...(json as { bytes: number; kept: unknown; skipped: unknown }), removed, exitCode };
    },
    /** A run of five epochs, the second of which is the best, and an average. */
    run: async (id: string, { status = 'FINISHED', tags = {}, config = '' }: Made = {}) => {
      const runDir = join(cwd, 'runs', id);
      const journal = await openJournal(runDir);
      const runName = id.slice('20190901-101500-'.length);
      journal.run({ run_id: id, name: runName, experiment: 'e', params: {}, tags: {} });
      journal.tags({ 'checkpoint.id': 'swa', ...tags });
      if (status !== 'RUNNING') journal.end(status);
      journal.close();
      await writeFile(join(runDir, 'config.yml'), `name: ${runName}\n${config}`);
      const index: CheckpointIndex = {
        ...{ last: 'epoch-0005', previous: 'update-000004', 'best-loss': 'epoch-0001', swa: 'swa' },
        ...{ 'best-dice': 'epoch-0002', 'top-1': 'epoch-0002' },
      };
      const weights = new Map([['w', array(100)]]);
      const training = { optimizer: new Map([['w/m', array(200)]]), sums: new Map() };
      training.sums.set('w', { shape: [100], data: new Float64Array(100) });
      for (const each of new Set(Object.values(index))) {
        const whole = each === 'swa' ? {} : { training };
        await saveCheckpoint(runDir, each, { weights, ...whole, state: state(Number(each.slice(-1))) });
      }
      await pointCheckpoints(runDir, index);
      await mkdir(join(runDir, 'predictions'));
      for (const each of ['epoch-0001', 'epoch-0003'])
        for (const ending of ['probs', 'probs.part', 'scores.json'])
          await writeFile(join(runDir, 'predictions', `${each}-oof-none.${ending}`), 'p');
      return runDir;
    },
  };
  await mkdir(cwd);
  return place;
}

/** A later stage of a sweep that has not begun: its own configuration does not say yet what it starts from. */
async function writeSweep(cwd: string, id: string, from: string, status?: RunStatus) {
  const dir = join(cwd, 'runs', id);
  const journal = await openJournal(dir);
  journal.run({ run_id: id, name: 'sweep', experiment: 'e', params: {}, tags: { sweep: 'true' } });
  if (status !== undefined) journal.end(status);
  journal.close();
  await writeFile(join(dir, 'config.yml'), 'name: sweep\n');
  await writeFile(
    join(dir, 'sweep.json'),
    JSON.stringify({ units: [{ init: { run: from, checkpoint: 'best-loss' } }] }),
  );
}

const idsOf = async (runDir: string) =>
  (await readdir(join(runDir, 'checkpoints'))).filter((name) => name !== 'index.json').sort();
const GONE = ['probs', 'probs.part', 'scores.json'].map((ending) => `predictions/epoch-0003-oof-none.${ending}`);

test('of a finished run the named checkpoints stay, their weights alone but for the last one', async () => {
  const place = await makePlace('finished');
  const runDir = await place.run('20190901-101500-a');
  const before = await readFile(join(runDir, 'checkpoints/index.json'), 'utf8');
  const dry = await place.gc({ dry_run: 'true' });
  assert.equal(await readFile(join(runDir, 'checkpoints/index.json'), 'utf8'), before);
  assert.equal((await idsOf(runDir)).length, 5);
  assert.ok(!existsSync(join(runDir, 'run.lock')));
  const done = await place.gc();
  assert.deepEqual({ ...done, dry_run: true }, dry, 'a dry run says what is done');
  const stripped = ['checkpoints/epoch-0001', 'checkpoints/epoch-0002'];
  assert.deepEqual(done.removed, [...stripped, 'checkpoints/update-000004', ...GONE]);
  assert.ok(done.bytes > 3 * TRAINING && done.bytes < 3 * TRAINING + 2 * 100 * 4 + 3000, `${done.bytes} bytes`);
  assert.deepEqual(await idsOf(runDir), ['epoch-0001', 'epoch-0002', 'epoch-0005', 'swa']);
  for (const id of await idsOf(runDir)) await readCheckpoint(runDir, id);
  assert.equal((await readCheckpointIndex(runDir)).previous, undefined);
  assert.equal((await findTrainingState(runDir, { warn: assert.fail }))!.id, 'epoch-0005');
  assert.ok(!existsSync(join(runDir, 'run.lock')));
  const again = await place.gc();
  assert.deepEqual([again.removed, again.bytes, again.exitCode], [[], 0, 0]);
});

test('keep=weights takes what a fork would go on from, which then says so; keep=chosen the other checkpoints too', async () => {
  const place = await makePlace('less');
  const runDir = await place.run('20190901-101500-a');
  await place.gc({ keep: 'weights' });
  await assert.rejects(
    findTrainingState(runDir, silentTerminal),
    (error) => error instanceof UserError && /weights alone .*epoch-0005.*npm run gc/.test(error.message),
  );
  await place.gc({ keep: 'chosen' });
  assert.deepEqual(await idsOf(runDir), ['swa']);
  assert.deepEqual(await readCheckpointIndex(runDir), { swa: 'swa' });
  assert.deepEqual(await readdir(join(runDir, 'predictions')), []);
});

test('a run that has not finished can be gone on with, unless it is asked for', async () => {
  const place = await makePlace('unfinished');
  for (const status of ['KILLED', 'FAILED', 'RUNNING'] as const) {
    const runDir = await place.run(`20190901-101500-${status}`, { status });
    assert.deepEqual((await place.gc()).removed, GONE);
    assert.equal((await idsOf(runDir)).length, 5);
    assert.equal((await findTrainingState(runDir, { warn: assert.fail }))!.id, 'epoch-0005');
    await place.gc({ unfinished: 'true' });
    assert.equal((await idsOf(runDir)).length, 4);
  }
});

test('what submissions, experiments, runs and manifests refer to is kept, and a registered run', async () => {
  const place = await makePlace('references');
  const yml = (run: string, checkpoint: string) => `{ run: ${run}, checkpoint: ${checkpoint} }`;
  const write = async (path: string, text: string) => {
    await mkdir(join(place.cwd, path, '..'), { recursive: true });
    await writeFile(join(place.cwd, path), text);
  };
  await write('submissions/old/one.yml', `name: one\nmembers: [${yml('a', 'best-loss')}]\n`);
  const gate = `{ statistic: max, threshold: 0.5, run: 20190901-101500-b, checkpoint: top-1 }`;
  await write(
    'submissions/two.yml',
    `name: two\nmembers: [${yml('a', 'best-loss')}]\npostprocess: { gate: ${gate} }\n`,
  );
  const member = { run_id: '20190901-101500-c', checkpoint_id: 'epoch-0003' };
  await write(
    'submissions/x.manifest.json',
    JSON.stringify({ members: [{ ...member, checkpoint_id: 'epoch-0001' }, member] }),
  );
  await write('experiments/next.yml', 'name: next\ninit: { from: a }\nquick: { init.checkpoint: last }\n');
  const runs: Record<string, string> = {};
  for (const name of ['a', 'b', 'c']) runs[name] = await place.run(`20190901-101500-${name}`);
  await place.run('20190901-101500-d', { config: 'init: { from: 20190901-101500-c, checkpoint: best-dice }\n' });
  const tuned = `postprocess: { from: reports/not-there.json }\n`;
  await write('submissions/tuned.yml', `name: tuned\nmembers: [${yml('20190901-101500-b', 'best-loss')}]\n${tuned}`);
  await write('experiments/folds.yml', 'name: folds\ninit: { from: f, checkpoint: best-loss }\n');
  runs.f = await place.run('20190901-101500-f-fold1');
  await write('submissions/folds.yml', `name: all\nmembers: [${yml('20190901-101500-g-folds', 'best-loss')}]\n`);
  runs.g = await place.run('20190901-101500-g-fold0');
  await place.run('20190901-101500-g-folds', { tags: { 'fold.0': '20190901-101500-g-fold0' } });
  const registered = await place.run('20190901-101500-e', { tags: { registered: 'siim/3' } });
  const { kept } = await place.gc({ keep: 'chosen' });
  assert.deepEqual(await idsOf(runs.a!), ['epoch-0001', 'epoch-0002', 'epoch-0005', 'swa']);
  assert.deepEqual(await idsOf(runs.b!), ['epoch-0001', 'epoch-0002', 'swa']);
  assert.deepEqual(await idsOf(runs.c!), ['epoch-0001', 'epoch-0002', 'swa']);
  assert.deepEqual(await readdir(join(runs.c!, 'predictions')), [
    ...['epoch-0001-oof-none.probs', 'epoch-0001-oof-none.probs.part', 'epoch-0001-oof-none.scores.json'],
    // The checkpoint is gone, but a manifest speaks of it.
    ...['epoch-0003-oof-none.probs', 'epoch-0003-oof-none.probs.part', 'epoch-0003-oof-none.scores.json'],
  ]);
  assert.deepEqual(await idsOf(runs.f!), ['epoch-0001', 'swa']);
  assert.deepEqual(await idsOf(runs.g!), ['epoch-0001', 'swa'], 'the run of all folds is named by its id');
  assert.deepEqual(await idsOf(registered), ['epoch-0001', 'epoch-0002', 'epoch-0005', 'swa']);
  const by = (kept as { run_id: string; checkpoint: string; by: string[] }[]).find(
    ({ run_id, checkpoint }) => run_id.endsWith('-a') && checkpoint === 'epoch-0001',
  );
  assert.deepEqual(by!.by, ['submissions/old/one.yml', 'submissions/two.yml']);
});

test('where a file that may refer to checkpoints cannot be read, nothing is removed', async () => {
  const place = await makePlace('unreadable');
  const runDir = await place.run('20190901-101500-a');
  await mkdir(join(place.cwd, 'submissions'));
  await writeFile(join(place.cwd, 'submissions/bad.yml'), 'name: bad\nmembers: []\n');
  await assert.rejects(place.gc(), (error) => error instanceof UserError && /bad\.yml.*members/.test(error.message));
  await rm(join(place.cwd, 'submissions/bad.yml'));
  await writeFile(join(place.cwd, 'submissions/bad.manifest.json'), '{"members": [');
  await assert.rejects(place.gc(), (error) => error instanceof UserError && /bad\.manifest\.json/.test(error.message));
  assert.equal((await idsOf(runDir)).length, 5);
});

test('a run that somebody trains and one that cannot be read are left alone, and said so', async () => {
  const place = await makePlace('skipped');
  const training = await place.run('20190901-101500-a');
  assert.ok(await tryLock(join(training, 'run.lock')));
  const damaged = await place.run('20190901-101500-b');
  await truncate(join(checkpointDir(damaged, 'epoch-0001'), 'manifest.json'), 20);
  const unnamed = await place.run('20190901-101500-c');
  await rm(join(unnamed, 'checkpoints/index.json'));
  for (const values of [{ dry_run: 'true' }, { dry_run: 'false' }]) {
    const { removed, skipped, exitCode } = await place.gc(values);
    assert.deepEqual([removed, exitCode], [[], 3]);
    const [first, second, third] = skipped as { run_id: string; reason: string }[];
    assert.match(first!.reason, new RegExp(`^process ${process.pid} .* trains in it$`));
    assert.match(second!.reason, /manifest\.json/);
    assert.match(third!.reason, /an index of checkpoints/);
  }
  assert.equal((await idsOf(training)).length, 5);
  assert.ok(existsSync(join(training, 'run.lock')) && !existsSync(join(damaged, 'run.lock')));
});

test('what a process left half-written goes, but for what may be at work', async () => {
  const place = await makePlace('leftovers');
  const runDir = await place.run('20190901-101500-a', { status: 'KILLED' });
  const [half, old, young] = ['checkpoints/.epoch-0006', 'predictions/.a.probs', 'predictions/.b.probs'].map(
    (path) => `${path}.4194305-0123abcd.tmp`,
  );
  await mkdir(join(runDir, half!));
  for (const path of [`${half}/weights.safetensors`, old!, young!]) await writeFile(join(runDir, path), 'half');
  await utimes(join(runDir, old!), 0, 0);
  const { removed } = await place.gc();
  assert.deepEqual(removed, [half, old, ...GONE].sort());
  assert.ok(!existsSync(join(runDir, half!)) && existsSync(join(runDir, young!)));
});

test('no runs are nothing to remove; a run that is not there and other values are refused', async () => {
  const place = await makePlace('empty');
  assert.deepEqual((await place.gc({ dry_run: 'true' })).removed, []);
  await place.run('20190901-101500-a');
  await place.run('20190901-101500-b');
  await assert.rejects(place.gc({}, 'nothing'), UserError);
  await assert.rejects(place.gc({ keep: 'choosen' }), /Did you mean chosen/);
  await assert.rejects(place.gc({ unfinished: 'yes' }), UserError);
  const { removed } = await place.gc({}, 'b');
  assert.equal(removed.length, 6);
  assert.equal((await idsOf(join(place.cwd, 'runs/20190901-101500-a'))).length, 5);
});

test('what a later stage of a sweep starts from is kept until the sweep is over, and what a sweep file names', async () => {
  const { cwd, run, gc } = await makePlace('sweep');
  const first = await run('20190901-101500-first');
  await gc({ keep: 'chosen' });
  assert.ok(!(await idsOf(first)).includes('epoch-0001'), 'nobody needs it');

  const [pending, over, named] = [
    await run('20190901-101501-a'),
    await run('20190901-101502-b'),
    await run('20190901-101503-c'),
  ];
  await writeSweep(cwd, '20190901-101504-sweep', '20190901-101501-a');
  await writeSweep(cwd, '20190901-101505-sweep', '20190901-101502-b', 'FINISHED');
  await mkdir(join(cwd, 'experiments/sweeps'), { recursive: true });
  const file = 'grid: { init.from: [20190901-101503-c] }\nset: { init.checkpoint: best-loss }\n';
  await writeFile(join(cwd, 'experiments/sweeps/s.yml'), `name: s\nbase: x.yml\n${file}`);
  await gc({ keep: 'chosen' });
  assert.ok((await idsOf(pending)).includes('epoch-0001'));
  assert.ok(!(await idsOf(over)).includes('epoch-0001'));
  assert.ok((await idsOf(named)).includes('epoch-0001'));
});
