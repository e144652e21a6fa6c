import assert from 'node:assert/strict';
import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { mlflowCommand } from '../../src/commands/mlflow.ts';
import { syncCommand } from '../../src/commands/sync.ts';
import { UserError } from '../../src/core/errors.ts';
import { tryLock } from '../../src/core/lock.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { openJournal, readJournal } from '../../src/tracking/journal.ts';
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

test('a run that was deleted in MLflow keeps no other one back', async () => {
  const deleted = await writeRun('deleted');
  const later = await writeRun('later');
  const other = await startAnswering((seen) => {
    if (!seen.url.includes('runs/get') || !seen.url.includes('run_id=d')) return obliging(seen);
    const tags = [{ key: 'harness.run_id', value: 'r' }];
    const info = { run_id: 'd', experiment_id: '1', artifact_uri: '', lifecycle_stage: 'deleted' };
    return { body: { run: { info, data: { tags } } } };
  });
  const named = process.env.MLFLOW_TRACKING_URI;
  process.env.MLFLOW_TRACKING_URI = other.uri;
  try {
    const position = { tracking_uri: other.uri, experiment_id: '1', run_id: 'd', offset: 0 };
    await writeFile(join(deleted, 'mlflow.json'), JSON.stringify(position));
    const { json, exitCode } = await run(syncCommand, 'deleted', 'later');
    assert.deepEqual([json.uploaded, json.pending, exitCode], [3, 3, 3]);
  } finally {
    process.env.MLFLOW_TRACKING_URI = named;
    await other.stop();
    for (const dir of [deleted, later]) await rm(dir, { recursive: true });
  }
});

test('a run whose process is gone is ended; one that is trained, or waits to be taken up, is not', async () => {
  const begin = async (runId: string, tags: Record<string, string>) => {
    const journal = await openJournal(join(cwd, 'runs', runId));
    journal.run({ run_id: 'r', name: runId, experiment: 'e', params: {}, tags });
    journal.close();
    return join(cwd, 'runs', runId);
  };
  const gone = await begin('gone', {});
  // No process has so large a number.
  await writeFile(join(gone, 'run.lock'), JSON.stringify({ pid: 999_999_999, host: hostname(), born: '1' }));
  const elsewhere = await begin('elsewhere', {});
  const lock = join(elsewhere, 'run.lock');
  await writeFile(lock, JSON.stringify({ pid: 1, host: 'another', born: '1', beats: true }));
  const silent = await begin('silent', {});
  await writeFile(join(silent, 'run.lock'), JSON.stringify({ pid: 1, host: 'another', born: '1', beats: true }));
  const long = new Date(Date.now() - 11 * 60_000);
  await utimes(join(silent, 'run.lock'), long, long);
  const waiting = await begin('waiting', { 'harness.requeue': 'true' });
  const trained = await begin('trained', {});
  assert.ok(await tryLock(join(trained, 'run.lock')));
  await run(syncCommand);
  const ends = (dir: string) =>
    readJournal(join(dir, 'journal.jsonl')).flatMap((entry) => (entry.type === 'end' ? [entry.status] : []));
  assert.deepEqual([gone, elsewhere, silent, waiting, trained].map(ends), [['KILLED'], [], ['KILLED'], [], []]);
  for (const dir of [gone, elsewhere, silent, waiting, trained]) await rm(dir, { recursive: true });
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
