import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { UserError } from '../../src/core/errors.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import type { RunStatus } from '../../src/tracking/journal-entry.ts';
import { findRun, listRuns } from '../../src/tracking/runs.ts';

const runsDir = await mkdtemp(join(tmpdir(), 'runs-'));
after(() => rm(runsDir, { recursive: true }));

async function writeRun(runId: string, name: string, ...ends: RunStatus[]): Promise<void> {
  const journal = await openJournal(join(runsDir, runId));
  const start = () => journal.run({ run_id: runId, name, experiment: 'e', params: {}, tags: {} });
  start();
  for (const [i, status] of ends.entries()) {
    if (i > 0) start();
    journal.end(status);
  }
  journal.close();
}

await writeRun('20260101-512-dice', '512-dice', 'FINISHED');
await writeRun('20260102-512-focal', '512-focal', 'FAILED');
await writeRun('20260103-512-focal', '512-focal', 'KILLED', 'FINISHED');
await writeRun('20260104-768', '768', 'FINISHED');
await writeRun('20260105-768', '768', 'FINISHED');
await writeRun('20260106-live', 'live');
await mkdir(join(runsDir, 'mlflow'));
const position = { tracking_uri: 'http://x', experiment_id: '1', run_id: 'abc123', offset: 0 };
await writeFile(join(runsDir, '20260104-768', 'mlflow.json'), JSON.stringify(position));

test('runs are listed oldest first, with their last state', async () => {
  const runs = await listRuns(runsDir);
  assert.deepEqual(
    runs.map(({ run_id, name, status }) => [run_id, name, status]),
    [
      ['20260101-512-dice', '512-dice', 'FINISHED'],
      ['20260102-512-focal', '512-focal', 'FAILED'],
      ['20260103-512-focal', '512-focal', 'FINISHED'],
      ['20260104-768', '768', 'FINISHED'],
      ['20260105-768', '768', 'FINISHED'],
      ['20260106-live', 'live', 'RUNNING'],
    ],
  );
  assert.equal(runs[3]!.mlflow_run_id, 'abc123');
  assert.equal(runs[0]!.config, join(runsDir, '20260101-512-dice', 'config.yml'));
  assert.deepEqual(await listRuns(join(runsDir, 'nowhere')), []);
});

test('a run that was taken up again after its end is running', async () => {
  const other = await mkdtemp(join(tmpdir(), 'runs-'));
  after(() => rm(other, { recursive: true }));
  const journal = await openJournal(join(other, 'r'));
  for (const step of ['run', 'end', 'run']) {
    if (step === 'end') journal.end('KILLED');
    else journal.run({ run_id: 'r', name: 'r', experiment: 'e', params: {}, tags: {} });
  }
  journal.close();
  assert.equal((await listRuns(other))[0]!.status, 'RUNNING');
});

test('a reference is a folder, an MLflow id, or the name of the one run that finished', async () => {
  const found = async (reference: string) => (await findRun(runsDir, reference)).run_id;
  assert.equal(await found('20260102-512-focal'), '20260102-512-focal');
  assert.equal(await found('abc123'), '20260104-768');
  assert.equal(await found('512-focal'), '20260103-512-focal');
});

test('anything else is the user’s mistake, with the runs to choose from', async () => {
  const refused = (reference: string, message: RegExp) =>
    assert.rejects(
      findRun(runsDir, reference),
      (error) => error instanceof UserError && message.test(error.message),
      reference,
    );
  await refused('768', /2 finished runs have it.*\n {2}20260104-768 {2}768 {2}FINISHED\n {2}20260105-768/);
  await refused('live', /no run of that name has finished.*\n {2}20260106-live {2}live {2}RUNNING$/);
  // The run that is most like the mistyped word comes first.
  await refused('512-dcie', /The runs most like it:\n {2}20260101-512-dice/);
  await assert.rejects(findRun(join(runsDir, 'nowhere'), 'x'), /no runs under .*nowhere.*npm run exp/);
});
