import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mlflowCommand } from '../../src/commands/mlflow.ts';
import { syncCommand } from '../../src/commands/sync.ts';
import { UserError } from '../../src/core/errors.ts';
import { tryLock } from '../../src/core/lock.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import { startAnswering } from '../mlflow-js-client/answering-server.ts';
import { obliging } from './obliging.ts';

const cwd = await mkdtemp(join(tmpdir(), 'sync-'));
const server = await startAnswering(obliging);
process.env.MLFLOW_TRACKING_URI = server.uri;
after(async () => {
  await server.stop();
  await rm(cwd, { recursive: true });
});

async function writeRun(runId: string): Promise<string> {
  const runDir = join(cwd, 'runs', runId);
  const journal = await openJournal(runDir);
  journal.run({ run_id: 'r', name: runId, experiment: 'e', params: {}, tags: {} });
  journal.metrics({ a: 1 }, 1);
  journal.end('FINISHED');
  journal.close();
  return runDir;
}

function run(command: typeof syncCommand, ...words: string[]) {
  return command.run({ words, values: {}, cwd, signal: new AbortController().signal }, silentTerminal);
}

test('sync uploads what is only in the journals, once', async () => {
  assert.deepEqual((await run(syncCommand)).json, { runs: 0, uploaded: 0, pending: 0 });
  await writeRun('one');
  await writeRun('two');
  // The run, its metrics and its end: three lines each.
  assert.deepEqual(await run(syncCommand, 'one'), { json: { runs: 1, uploaded: 3, pending: 0 }, exitCode: 0 });
  assert.deepEqual((await run(syncCommand)).json, { runs: 2, uploaded: 3, pending: 0 });
  assert.deepEqual((await run(syncCommand)).json, { runs: 2, uploaded: 0, pending: 0 });
  await assert.rejects(run(syncCommand, 'three'), UserError);
});

test('a run that another process uploads is left to it, and counted', async () => {
  const runDir = await writeRun('busy');
  assert.ok(await tryLock(join(runDir, 'mlflow.lock')));
  assert.deepEqual(await run(syncCommand), { json: { runs: 3, uploaded: 0, pending: 3 }, exitCode: 3 });
  await rm(join(runDir, 'mlflow.lock'));
  assert.equal((await run(syncCommand)).exitCode, 0);
});

test('runs that were logged to another server are copied to the one that is named', async () => {
  const other = await startAnswering(obliging);
  after(() => other.stop());
  process.env.MLFLOW_TRACKING_URI = other.uri;
  // This one knows the runs by the ids that the first gave: it goes on where that one stopped.
  assert.deepEqual((await run(syncCommand)).json, { runs: 3, uploaded: 0, pending: 0 });
  const stranger = await startAnswering((seen) =>
    seen.url.includes('runs/get')
      ? { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: '' } }
      : obliging(seen),
  );
  after(() => stranger.stop());
  process.env.MLFLOW_TRACKING_URI = stranger.uri;
  assert.deepEqual((await run(syncCommand)).json, { runs: 3, uploaded: 9, pending: 0 });
});

test('with MLFLOW_TRACKING_URI no local server is started, and one that does not answer is the user’s mistake', async () => {
  process.env.MLFLOW_TRACKING_URI = server.uri;
  await writeRun('late');
  await server.stop();
  for (const call of [() => run(mlflowCommand), () => run(mlflowCommand, 'status'), () => run(syncCommand)]) {
    await assert.rejects(call(), (error) => error instanceof UserError && error.message.includes(server.uri));
  }
  await assert.rejects(run(mlflowCommand, 'restart'), /start, stop or status .* received "restart"/);
  assert.deepEqual((await run(mlflowCommand, 'stop')).json, { running: false, tracking_uri: null });
});
