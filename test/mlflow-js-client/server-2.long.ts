import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createMlflowClient, type MlflowClient } from 'mlflow-js-client';
import { readSettings } from '../../src/config/settings.ts';
import { ensurePythonEnvironment } from '../../src/core/python-environment.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { freePort } from '../free-port.ts';

// The last of the servers that many teams still run.
const VERSION = '2.22.2';

let folder: string;
let server: ChildProcess;
let client: MlflowClient;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mlflow-2-'));
  const { cacheDir } = await readSettings();
  const python = await ensurePythonEnvironment(
    {
      ...{ folder: join(cacheDir, `mlflow-${VERSION}`), label: 'mlflow', title: `MLflow ${VERSION}` },
      ...{
        effort: 'some minutes',
        install: [`mlflow==${VERSION}`, 'setuptools<81', 'sqlalchemy<2.1'],
        otherwise: 'leave this test out',
      },
    },
    silentTerminal,
  );
  const port = await freePort();
  const store = ['--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`, '--serve-artifacts'];
  const artifacts = ['--artifacts-destination', join(folder, 'artifacts')];
  const words = [
    '-m',
    'mlflow',
    'server',
    ...store,
    ...artifacts,
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--workers',
    '1',
  ];
  server = spawn(python, words, { detached: true, stdio: 'ignore' });
  client = createMlflowClient({ trackingUri: `http://127.0.0.1:${port}` });
  for (let attempt = 0; !(await isThere()); attempt++) {
    assert.ok(attempt < 600 && server.exitCode === null, 'the server does not start');
    await sleep(200);
  }
});
after(async () => {
  const gone = once(server, 'exit');
  process.kill(-server.pid!, 'SIGKILL');
  await gone;
  await rm(folder, { recursive: true, force: true });
});

async function isThere(): Promise<boolean> {
  const hasty = createMlflowClient({ trackingUri: client.trackingUri, retries: 0 });
  return await hasty.health().then(
    () => true,
    () => false,
  );
}

test('a server of MLflow 2 takes the core calls and gives back what it was told', async () => {
  assert.equal(await client.version(), VERSION);
  const { experiment_id: experimentId } = await client.getOrCreateExperiment('old');
  assert.equal((await client.getOrCreateExperiment('old')).experiment_id, experimentId);
  const { run_id: id } = (await client.createRun({ experimentId, runName: 'run', startTime: 1000 })).info;
  const metrics = Array.from({ length: 1500 }, (_, step) => {
    return { key: 'train/loss', value: step === 7 ? Number.NaN : step / 10, timestamp: 2000 + step, step };
  });
  const params = [{ key: 'lr_schedule.lr', value: '0.001' }];
  await client.logBatch(id, { metrics, params, tags: [{ key: 'fold', value: '0' }] });
  // Twice is stored once; but a NaN twice is refused here, where MLflow 3 takes it: an upload then sends the others alone.
  await client.logBatch(id, { metrics: metrics.slice(0, 7) });
  await assert.rejects(client.logBatch(id, { metrics: [metrics[7]!] }), { status: 400 });
  const history = (await client.getMetricHistory(id, 'train/loss')).sort((a, b) => a.step - b.step);
  assert.deepEqual(
    history.map(({ step, value, timestamp }) => [step, value, timestamp]),
    metrics.map(({ step, value, timestamp }) => [step, value, timestamp]),
  );
  const dataset = { name: 'siim', digest: 'abc', source_type: 'local', source: '{}' };
  await client.logInputs(id, [{ dataset, tags: [{ key: 'mlflow.data.context', value: 'training' }] }]);
  await client.uploadArtifact(id, 'curves/a.txt', new TextEncoder().encode('hello'));
  assert.deepEqual(
    (await client.listArtifacts(id, 'curves')).map(({ path }) => path),
    ['curves/a.txt'],
  );
  assert.equal(new TextDecoder().decode(await client.downloadArtifact(id, 'curves/a.txt')), 'hello');
  await client.updateRun(id, { status: 'FINISHED', endTime: 9000 });
  const [found] = await client.searchRuns({ experimentIds: [experimentId], filter: "tags.fold = '0'" });
  assert.deepEqual([found!.info.run_id, found!.info.status, found!.data.params], [id, 'FINISHED', params]);
  await assert.rejects(client.getRun('0'.repeat(32)), { code: 'RESOURCE_DOES_NOT_EXIST' });
});

test('its registry too', async () => {
  const { experiment_id: experimentId } = await client.getOrCreateExperiment('old');
  const { run_id: runId, artifact_uri: root } = (await client.createRun({ experimentId })).info;
  await client.uploadArtifact(runId, 'checkpoints/a/manifest.json', new TextEncoder().encode('{}'));
  await client.ensureRegisteredModel('512-dice');
  await client.ensureRegisteredModel('512-dice');
  const { version } = await client.createModelVersion({ name: '512-dice', runId, source: `${root}/checkpoints/a` });
  await client.setModelAlias('512-dice', 'champion', version);
  assert.equal((await client.getModelVersionByAlias('512-dice', 'champion'))?.version, version);
  assert.equal(await client.getModelVersionByAlias('512-dice', 'swa'), undefined);
  assert.equal((await client.searchModelVersions("name='512-dice'")).length, 1);
});
