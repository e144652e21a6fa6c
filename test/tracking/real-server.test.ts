import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createMlflowClient, type MlflowClient } from 'mlflow-js-client';
import sharp from 'sharp';
import { readSettings } from '../../src/config/settings.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import { ensureServer, serverStatus, stopServer } from '../../src/tracking/server.ts';
import { startUploader, syncRun, type UploadResult } from '../../src/tracking/uploader.ts';

// One MLflow server for the whole file; the first test on a machine waits about a minute for its installation.
const runsDir = await mkdtemp(join(tmpdir(), 'mlflow-'));
const { cacheDir } = await readSettings();
const folders = { runsDir, cacheDir };
let uri = '';
let client: MlflowClient;

before(async () => {
  // Two at once, as of two runs that begin together: one server.
  const [first, second] = await Promise.all([
    ensureServer(folders, silentTerminal),
    ensureServer(folders, silentTerminal),
  ]);
  assert.equal(first, second);
  uri = first;
  client = createMlflowClient({ trackingUri: uri });
});
after(async () => {
  await stopServer(runsDir);
  assert.equal(await serverStatus(runsDir), undefined);
  await rm(runsDir, { recursive: true });
});

const STEPS = 1200;
const loss = (step: number) => (step === 7 ? Number.NaN : 1 / (step + 1));

async function writeRun(runId: string): Promise<string> {
  const runDir = join(runsDir, runId);
  const journal = await openJournal(runDir);
  const params = { 'lr_schedule.lr': '0.001', augment: 'x'.repeat(7000) };
  journal.run({ run_id: runId, name: 'quick', experiment: 'e', params, tags: { fold: '0' } });
  for (let step = 1; step <= STEPS; step++) journal.metrics({ 'train/loss': loss(step), lr: 0.5 }, step);
  journal.metrics({ 'val/dice': 0.75 }, 1);
  await writeFile(join(runDir, 'config.yml'), 'seed: 42\n');
  journal.artifact('config.yml', 'config.yml');
  await sharp({ create: { width: 512, height: 256, channels: 3, background: 'teal' } }).toFile(join(runDir, 'o.png'));
  journal.image('o.png', 'val/overlay', 1);
  journal.tags({ data_digest: 'abc' });
  journal.end('FINISHED');
  journal.close();
  return runDir;
}

/** All that MLflow has of a run. */
async function readBack(runId: string) {
  const { info, data } = await client.getRun(runId);
  const histories = await Promise.all(
    ['train/loss', 'lr', 'val/dice'].map(async (key) => await client.getMetricHistory(runId, key)),
  );
  const files = [...(await client.listArtifacts(runId)), ...(await client.listArtifacts(runId, 'images'))];
  return { info, data, histories, files };
}

let uploaded: UploadResult;

test('what a run logs is in MLflow: params, tags, every metric by step, artifacts and images', async () => {
  const runDir = await writeRun('run-1');
  const tracking = { ready: Promise.resolve({ uri }), cancel: () => {} };
  uploaded = await startUploader({ runDir, tracking }, silentTerminal).finish(30_000);
  assert.equal(uploaded.pending, 0);
  const { info, data, histories, files } = await readBack(uploaded.mlflow_run_id!);
  assert.deepEqual([info.status, info.run_name], ['FINISHED', 'quick']);
  assert.equal((await client.getExperimentByName('e'))?.experiment_id, info.experiment_id);
  const params = Object.fromEntries(data.params.map(({ key, value }) => [key, value]));
  assert.equal(params['lr_schedule.lr'], '0.001');
  assert.match(params.augment!, /^x+ … \(cut: 7000 characters, whole in journal\.jsonl\)$/);
  const tags = Object.fromEntries(data.tags.map(({ key, value }) => [key, value]));
  assert.deepEqual([tags.fold, tags.data_digest, tags['harness.run_id']], ['0', 'abc', 'run-1']);
  const losses = histories[0]!.sort((a, b) => a.step - b.step);
  assert.deepEqual(
    losses.map(({ step, value }) => [step, value]),
    Array.from({ length: STEPS }, (_, i) => [i + 1, loss(i + 1)]),
  );
  assert.equal(histories[1]!.length, STEPS);
  assert.deepEqual([histories[2]![0]!.step, histories[2]![0]!.value], [1, 0.75]);
  const paths = files.map(({ path }) => path);
  assert.ok(paths.includes('config.yml'));
  const image = /^images\/val~overlay\+step\+1\+timestamp\+\d+\+[0-9a-f-]{36}(\.png|\+compressed\.webp)$/;
  assert.equal(paths.filter((path) => image.test(path)).length, 2, paths.join('\n'));
  const config = await client.downloadArtifact(info.run_id, 'config.yml');
  assert.deepEqual(Buffer.from(config), await readFile(join(runDir, 'config.yml')));
});

test('uploading it again, even after losing the place, changes nothing', async () => {
  const runDir = join(runsDir, 'run-1');
  const first = await readBack(uploaded.mlflow_run_id!);
  const again = await syncRun(runDir, { uri }, silentTerminal);
  assert.deepEqual([again.uploaded, again.pending, again.mlflow_run_id], [0, 0, uploaded.mlflow_run_id]);
  await rm(join(runDir, 'mlflow.json'));
  const whole = await syncRun(runDir, { uri }, silentTerminal);
  assert.deepEqual([whole.pending, whole.mlflow_run_id], [0, uploaded.mlflow_run_id]);
  assert.ok(whole.uploaded > STEPS);
  const second = await readBack(uploaded.mlflow_run_id!);
  const sorted = ({ histories, ...rest }: typeof first) => ({
    ...rest,
    histories: histories.map((history) => history.sort((a, b) => a.step - b.step)),
  });
  assert.deepEqual(sorted(second), sorted(first));
});

test('several processes that make one experiment at once get the same', async () => {
  const made = await Promise.all(Array.from({ length: 5 }, () => client.getOrCreateExperiment('together')));
  assert.equal(new Set(made.map(({ experiment_id }) => experiment_id)).size, 1);
});

test('the server says what is wrong, and its codes are kept', async () => {
  await assert.rejects(client.getRun('0'.repeat(32)), { code: 'RESOURCE_DOES_NOT_EXIST', status: 404 });
  const { run_id } = (await client.getRun(uploaded.mlflow_run_id!)).info;
  const changed = client.logBatch(run_id, { params: [{ key: 'lr_schedule.lr', value: '1' }] });
  await assert.rejects(changed, { code: 'INVALID_PARAMETER_VALUE', status: 400 });
  const dataset = { name: 'siim', digest: 'abc', source_type: 'local', source: '{}' };
  await client.logInputs(run_id, [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }]);
  const found = await client.searchRuns({ experimentIds: ['0', '1'], filter: "params.`lr_schedule.lr` = '0.001'" });
  assert.deepEqual(
    found.map(({ info }) => info.run_id),
    [run_id],
  );
});

test('runs of folds are children of one run in MLflow, whichever of them comes first', async () => {
  const write = async (runId: string, tags: Record<string, string>) => {
    const journal = await openJournal(join(runsDir, runId));
    journal.run({ run_id: runId, name: runId, experiment: 'folds', params: {}, tags });
    journal.metrics({ 'val/dice': 0.5 }, 1);
    journal.end('FINISHED');
    journal.close();
  };
  await write('all', {});
  for (const fold of [0, 1, 2]) await write(`fold-${fold}`, { 'harness.parent': 'all' });
  const tracking = () => ({ ready: Promise.resolve({ uri }), cancel: () => {} });
  const upload = (runId: string) =>
    startUploader({ runDir: join(runsDir, runId), tracking: tracking() }, silentTerminal).finish(30_000);
  await upload('fold-0');
  const together = await Promise.all(['fold-1', 'all', 'fold-2'].map(upload));
  assert.deepEqual(
    together.map(({ pending }) => pending),
    [0, 0, 0],
  );
  const { experiment_id } = (await client.getExperimentByName('folds'))!;
  const runs = await client.searchRuns({ experimentIds: [experiment_id] });
  assert.equal(runs.length, 4, 'one parent');
  const tagOf = (run: (typeof runs)[number], wanted: string) => run.data.tags.find(({ key }) => key === wanted)?.value;
  const parent = runs.find((run) => run.info.run_name === 'all')!;
  const parents = runs.filter((run) => run !== parent).map((run) => tagOf(run, 'mlflow.parentRunId'));
  assert.deepEqual(parents, Array(3).fill(parent.info.run_id));
});

test('a server that dies is replaced, and gets what was logged meanwhile', async () => {
  const state = (await serverStatus(runsDir))!;
  process.kill(-state.pid, 'SIGKILL');
  while ((await serverStatus(runsDir)) !== undefined) await new Promise((resolve) => setTimeout(resolve, 20));
  const runDir = await writeRun('run-2');
  const tracking = { ready: Promise.resolve({ uri }), cancel: () => {} };
  const result = await startUploader({ runDir, tracking }, silentTerminal).finish(30_000);
  assert.equal(result.pending, STEPS + 6);
  // The port is the same, so that an open page and a running upload go on.
  assert.equal(await ensureServer(folders, silentTerminal), uri);
  const synced = await syncRun(runDir, { uri }, silentTerminal);
  assert.equal(synced.pending, 0);
  assert.equal((await client.getMetricHistory(synced.mlflow_run_id!, 'lr')).length, STEPS);
  assert.equal((await client.getRun(uploaded.mlflow_run_id!)).info.status, 'FINISHED');
});
