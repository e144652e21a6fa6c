import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readUnit } from '../../src/commands/exp-unit.ts';
import { UserError } from '../../src/core/errors.ts';
import { tryLock } from '../../src/core/lock.ts';
import { readJournal } from '../../src/tracking/journal.ts';
import { readRun } from '../../src/tracking/runs.ts';
import { runExp, SMALL_EXPERIMENT } from '../jobs/run-exp.ts';

const ID = '20261129-000000-unit';

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unit-'));
  await writeFile(join(folder, 'small.yml'), SMALL_EXPERIMENT);
});
after(async () => await rm(folder, { recursive: true, force: true }));

// Nobody listens on port 1.
const exp = (words: string[], hear?: (said: string, pid: number) => void) =>
  runExp(folder, 'http://127.0.0.1:1', ['small.yml', 'epochs=2', `run=${ID}`, ...words], hear);

test('a run that is named by its id is begun, paused, gone on with and found finished by the same words', async () => {
  const runsDir = join(folder, 'runs');
  // What one leaves that died before its journal began.
  await mkdir(join(runsDir, ID), { recursive: true });
  const paused = await exp(['sweep=20261129-000000-parent', 'until_epoch=1']);
  assert.equal(paused.code, 75, paused.stderr);
  assert.equal(paused.json.run_id, ID);
  assert.equal(paused.json.status, 'RUNNING');
  const begun = readRun(runsDir, ID)!;
  assert.equal(begun.record.epochs.length, 1);
  assert.equal(begun.record.tags['harness.parent'], '20261129-000000-parent');
  assert.equal(begun.record.tags['harness.requeue'], 'true');

  const still = await exp(['until_epoch=1']);
  assert.equal(still.code, 75, still.stderr);
  assert.equal(readRun(runsDir, ID)!.record.epochs.length, 1, 'it is there already');

  // Whoever trained it before is still saving.
  const lock = join(runsDir, ID, 'run.lock');
  assert.ok(await tryLock(lock, { beats: true }));
  const finished = await exp([], (said) => {
    if (said.includes(`waits for process ${process.pid}`)) void rm(lock, { force: true });
  });
  assert.equal(finished.code, 0, finished.stderr);
  assert.equal(finished.json.status, 'FINISHED');
  assert.match(finished.stderr, /waits for process/);
  assert.match(finished.stderr, /going on from checkpoint epoch-0001/);

  const lines = readJournal(join(runsDir, ID, 'journal.jsonl')).length;
  const again = await exp([]);
  assert.equal(again.code, 0, again.stderr);
  assert.match(again.stderr, /has finished: nothing is left to do/);
  // No image of this fold is positive: the figure is no number, in the journal as text.
  assert.deepEqual(again.json.metrics, finished.json.metrics);
  assert.equal(readJournal(join(runsDir, ID, 'journal.jsonl')).length, lines);

  const other = await exp(['batch_size=2']);
  assert.equal(other.code, 2);
  assert.match(other.stderr, /batch_size: 4, now 2/);
});

test('what does not go with run is said', () => {
  const wish = { resume: 'last', fork: false };
  const alone = { alone: true, wish: undefined };
  const refused: [Parameters<typeof readUnit>, RegExp][] = [
    [[{ run: 'a' }, { alone: false, wish: undefined }], /Expected one file and one fold with run/],
    [[{ run: 'a' }, { alone: true, wish }], /Expected neither resume nor fork with run/],
    [[{ sweep: 'a' }, alone], /Expected run=<id> with sweep/],
    [[{ run: '../a' }, alone], /Expected a run id/],
    [[{ until_epoch: '0' }, alone], /Expected a whole number from 1 for until_epoch/],
  ];
  for (const [args, message] of refused) {
    assert.throws(
      () => readUnit(...args),
      (error) => error instanceof UserError && message.test(error.message),
    );
  }
});
