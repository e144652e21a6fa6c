import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { expCommand } from '../../src/commands/exp.ts';
import { preparePhantom } from '../../src/commands/prepare-phantom.ts';
import { parseExperiment } from '../../src/config/experiment.ts';
import { memberConfig } from '../../src/config/submission.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { experimentOfFold } from '../../src/jobs/fold-experiments.ts';
import { expandFolds } from '../../src/submit/expand-folds.ts';
import { readJournal } from '../../src/tracking/journal.ts';
import { listRuns } from '../../src/tracking/runs.ts';
import { type ExpEnded, runExp, SMALL_EXPERIMENT } from './run-exp.ts';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'folds-'));
  await writeFile(join(folder, 'small.yml'), SMALL_EXPERIMENT);
  const next = SMALL_EXPERIMENT.replace('name: small', 'name: next').replace(
    'resolution: 32',
    'init: { from: small }\nresolution: 64',
  );
  await writeFile(join(folder, 'next.yml'), next);
  const experiment = await parseExperiment('small.yml', {}, folder);
  await preparePhantom(experiment, { cwd: folder, signal: new AbortController().signal, folds: 2 }, silentTerminal);
});
after(async () => await rm(folder, { recursive: true, force: true }));

interface Fold {
  fold: number;
  status: string;
  run_id: string;
  run_dir: string;
  metrics: Record<string, number>;
}

interface Ended extends ExpEnded {
  json: Omit<Fold, 'fold'> & { folds: Fold[] };
}

// Nobody listens on port 1.
const exp = (words: string[], hear?: (said: string, pid: number) => void): Promise<Ended> =>
  runExp(folder, 'http://127.0.0.1:1', words, hear);

/** The processes that a process has started (proc(5)). */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && existsSync(`/proc/${name}/stat`))
    .filter((name) => {
      const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
      return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === pid;
    })
    .map(Number);
}

test('a fold that dies ends no other, and retry=failed trains it alone', async () => {
  let killed = false;
  const first = await exp(['small.yml', 'data.fold=all'], (said, pid) => {
    if (killed || !/fold 0 \| run \S+ on the cpu/.test(said)) return;
    killed = true;
    for (const child of childrenOf(pid)) process.kill(child, 'SIGKILL');
  });
  assert.equal(first.code, 1, first.stderr);
  assert.equal(first.json.status, 'FAILED');
  assert.deepEqual(
    first.json.folds.map(({ fold, status }) => [fold, status]),
    [
      [0, 'FAILED'],
      [1, 'FINISHED'],
    ],
  );
  assert.match(first.stderr, /fold 0 {2}FAILED .*SIGKILL/);
  assert.match(await readFile(join(first.json.run_dir, 'fold-1.log'), 'utf8'), /^epoch 1\/1: val loss/m);

  const again = await exp(['small.yml', 'data.fold=all', 'retry=failed']);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.json.run_id, first.json.run_id, 'it is the same run');
  assert.equal(again.json.status, 'FINISHED');
  assert.equal(again.json.folds[1]!.run_id, first.json.folds[1]!.run_id);
  assert.match(again.stderr, /fold 1 \| \S+ is FINISHED: left as it is/);
  const dices = again.json.folds.map(({ metrics }) => metrics['val/dice']!);
  const { metrics } = again.json;
  assert.ok(Math.abs(metrics['cv/dice_mean']! - (dices[0]! + dices[1]!) / 2) < 1e-12);
  assert.ok(Math.abs(metrics['cv/dice_std']! - Math.abs(dices[0]! - dices[1]!) / Math.SQRT2) < 1e-12);
  const images = again.json.folds.map(({ run_dir }) => heldOut(run_dir).length);
  const pooled = (dices[0]! * images[0]! + dices[1]! * images[1]!) / (images[0]! + images[1]!);
  assert.ok(Math.abs(metrics['cv/dice']! - pooled) < 1e-12, 'every image counts once');
  const entries = readJournal(join(again.json.run_dir, 'journal.jsonl'));
  assert.equal(entries.findLast((entry) => entry.type === 'end')?.status, 'FINISHED');

  const [run] = readJournal(join(again.json.folds[0]!.run_dir, 'journal.jsonl'));
  assert.equal(run?.type === 'run' && run.tags['harness.parent'], first.json.run_id);
  await startsFromItsFold();
  await standsForItsFolds(again.json.folds.map(({ run_id }) => run_id));
});

/** A submission's member that is the run of all folds. */
async function standsForItsFolds(children: string[]): Promise<void> {
  const member = memberConfig.parse({ run: 'small-folds', weight: 3 });
  const other = memberConfig.parse({ run: children[0] });
  const { members } = await expandFolds({ members: [member, other] }, join(folder, 'runs'));
  const folds = children.map((run) => ({ ...member, run, weight: 1.5 }));
  assert.deepEqual(members, [...folds, other]);
}

/** What a fold of another experiment begins with, by the runs that there are now. */
async function startsFromItsFold(): Promise<void> {
  const experiment = await parseExperiment('next.yml', {}, folder);
  const runsDir = join(folder, 'runs');
  const fromOf = async (fold: number, before: string[], from = 'small') => {
    const init = { ...experiment.init!, from };
    return (await experimentOfFold({ ...experiment, init }, fold, { before, runsDir })).init!.from;
  };
  const child = (await listRuns(runsDir)).find(({ name }) => name === 'small-fold1')?.run_id;
  assert.equal(await fromOf(1, []), child, 'of the newest finished run of all folds');
  assert.equal(await fromOf(7, []), 'small', 'there is no such fold');
  assert.equal(await fromOf(7, ['small']), 'small-fold7', 'the same command trains it before');
  const { name, data } = await experimentOfFold(experiment, 1, { before: [], runsDir });
  assert.deepEqual([name, data.fold], ['next-fold1', 1]);
}

test('what cannot be done with all folds is said', async () => {
  const wrong: [string[], RegExp][] = [
    [['small.yml', 'retry=failed'], /Expected data\.fold=all with retry=failed/],
    [['small.yml', 'data.fold=all', 'retry=all'], /Expected failed for retry/],
    [['small.yml', 'data.fold=all', 'resume=last', 'fork=true'], /Expected resume=last with data\.fold=all/],
    [
      ['small.yml', 'data.fold=all', 'retry=failed', 'name=another'],
      /Expected a run of all folds of another for retry=failed/,
    ],
  ];
  for (const [words, message] of wrong) {
    const files = words.filter((word) => !word.includes('='));
    const values = Object.fromEntries(words.filter((word) => word.includes('=')).map((word) => word.split('=')));
    const args = { words: files, values, cwd: folder, signal: new AbortController().signal };
    await assert.rejects(
      expCommand.run(args, silentTerminal),
      (error) => error instanceof UserError && message.test(error.message),
    );
  }
});

function heldOut(runDir: string): string[] {
  return readFileSync(join(runDir, 'validation-ids.txt'), 'utf8').trim().split('\n');
}
