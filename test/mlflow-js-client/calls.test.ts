import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type ConnectionOptions, createMlflowClient, MlflowError } from 'mlflow-js-client';
import { type AnsweringServer, type Reply, type Seen, startAnswering } from './answering-server.ts';

const servers: AnsweringServer[] = [];
after(() => Promise.all(servers.map((server) => server.stop())));

async function connect(reply: (seen: Seen, count: number) => Reply, options: Partial<ConnectionOptions> = {}) {
  const server = await startAnswering(reply);
  servers.push(server);
  return { server, client: createMlflowClient({ trackingUri: server.uri, retries: 0, ...options }) };
}

const info = { run_id: 'r', experiment_id: '1', artifact_uri: 'mlflow-artifacts:/1/r/artifacts' };

test('a batch goes as JSON to the run, with the content type that the server insists on', async () => {
  const { server, client } = await connect(() => ({}));
  await client.logBatch('r', { metrics: [{ key: 'a', value: Number.NaN, timestamp: 7, step: 3 }] });
  const { method, url, headers, body } = server.seen[0]!;
  assert.deepEqual([method, url], ['POST', '/api/2.0/mlflow/runs/log-batch']);
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual(JSON.parse(body), { run_id: 'r', metrics: [{ key: 'a', value: 'NaN', timestamp: 7, step: 3 }] });
});

test('credentials go as Basic or Bearer, from the options or from the address', async () => {
  const { server } = await connect(() => ({ body: 'OK' }));
  const seen = async (options: ConnectionOptions) => {
    const client = createMlflowClient(options);
    assert.equal(client.trackingUri, server.uri);
    await client.health();
    return server.seen.at(-1)!.headers.authorization;
  };
  const basic = `Basic ${Buffer.from('ann:p@ss:ö').toString('base64')}`;
  assert.equal(await seen({ trackingUri: server.uri, auth: { username: 'ann', password: 'p@ss:ö' } }), basic);
  assert.equal(await seen({ trackingUri: server.uri, auth: { token: 'abc' } }), 'Bearer abc');
  assert.equal(await seen({ trackingUri: server.uri.replace('//', '//ann:p%40ss%3A%C3%B6@') }), basic);
  assert.equal(await seen({ trackingUri: `${server.uri}/` }), undefined);
});

test('an address that is not http is refused, without showing a password', () => {
  assert.throws(() => createMlflowClient({ trackingUri: './mlruns' }), /http.* received "\.\/mlruns"/);
  assert.throws(
    () => createMlflowClient({ trackingUri: 'ftp://a:secret@b' }),
    (error) => error instanceof RangeError && !error.message.includes('secret'),
  );
});

test('an error carries method, path, status, code and message', async () => {
  const body = { error_code: 'INVALID_PARAMETER_VALUE', message: 'no such thing' };
  const { client } = await connect(() => ({ status: 400, body }));
  const error = await failureOf(client.getRun('r'));
  assert.deepEqual(
    [error.method, error.path, error.status, error.code, error.transient],
    ['GET', '/api/2.0/mlflow/runs/get', 400, 'INVALID_PARAMETER_VALUE', false],
  );
  assert.equal(error.message, 'MLflow GET /api/2.0/mlflow/runs/get: 400 INVALID_PARAMETER_VALUE: no such thing');
});

test('answers in plain text, as of a guard or a proxy, are told as they are', async () => {
  for (const [status, text] of [
    [401, 'You are not authenticated'],
    [403, 'Invalid Host header'],
  ] as const) {
    const { client, server } = await connect(() => ({ status, body: text }), { retries: 3 });
    const error = await failureOf(client.setTag('r', 'a', 'b'));
    assert.deepEqual([error.status, error.code], [status, undefined]);
    assert.match(error.message, new RegExp(text));
    assert.equal(server.seen.length, 1);
  }
  const { client } = await connect(() => ({ body: '<html>Welcome</html>' }));
  assert.match((await failureOf(client.getRun('r'))).message, /expected JSON .*Welcome.* Is this an MLflow server/);
});

test('a busy or broken server is asked again, where that is safe', async () => {
  for (const reply of [{ status: 503 }, { status: 429 }, { status: 408 }, 'drop'] as Reply[]) {
    const { server, client } = await connect((_, count) => (count < 3 ? reply : {}), { retries: 2 });
    await client.setTag('r', 'a', 'b');
    assert.equal(server.seen.length, 3);
  }
});

test('creating is not repeated unless the server certainly did nothing', async () => {
  const broken = await connect(() => ({ status: 503 }), { retries: 3 });
  assert.equal((await failureOf(broken.client.createRun({ experimentId: '1' }))).status, 503);
  assert.equal(broken.server.seen.length, 1);
  const busy = await connect((_, count) => (count < 2 ? { status: 429 } : { body: { run: { info } } }), { retries: 3 });
  assert.equal((await busy.client.createRun({ experimentId: '1' })).info.run_id, 'r');
});

test('the server’s Retry-After is heeded', async () => {
  const { client } = await connect((_, count) => (count < 2 ? { status: 503, headers: { 'retry-after': '1' } } : {}), {
    retries: 1,
  });
  const started = performance.now();
  await client.setTag('r', 'a', 'b');
  // At least half of the second: the other half is drawn at random.
  assert.ok(performance.now() - started >= 490);
});

test('a server that hangs is given up', async () => {
  const { client } = await connect(() => 'hang', { timeoutMs: 200 });
  const error = await failureOf(client.getRun('r'));
  assert.deepEqual([error.code, error.status, error.transient], ['TIMEOUT', undefined, true]);
  assert.match(error.message, /no answer from 127\.0\.0\.1:\d+ within 0\.2 s/);
});

test('a standstill of this process is not taken for one of the server', async () => {
  const { client } = await connect(() => ({ body: 'OK' }), { timeoutMs: 300 });
  const call = client.health();
  // As a synchronous training step does: far longer than the timeout, with one turn of the event loop in between.
  for (let step = 0; step < 3; step++) {
    const until = performance.now() + 400;
    while (performance.now() < until);
    await new Promise(setImmediate);
  }
  await call;
});

test('a server that is not there is an error with Node’s code', async () => {
  const { client, server } = await connect(() => ({}));
  await server.stop();
  const error = await failureOf(client.health());
  assert.deepEqual([error.code, error.unsent], ['ECONNREFUSED', true]);
});

test('closing ends a call in flight and a wait between two', async () => {
  for (const reply of ['hang', { status: 503, headers: { 'retry-after': '20' } }] as Reply[]) {
    const { client, server } = await connect(() => reply, { retries: 5 });
    const failure = failureOf(client.getRun('r'));
    while (server.seen.length === 0) await new Promise(setImmediate);
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.close();
    assert.equal((await failure).code, 'CLOSED');
  }
});

test('whoever comes second to create an experiment takes the first one’s', async () => {
  const { client, server } = await connect(({ url }, count) => {
    if (url.includes('create')) return { status: 400, body: { error_code: 'RESOURCE_ALREADY_EXISTS', message: '' } };
    if (count === 1) return { status: 404, body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: '' } };
    return { body: { experiment: { experiment_id: '7', name: 'a b', lifecycle_stage: 'active' } } };
  });
  assert.equal((await client.getOrCreateExperiment('a b')).experiment_id, '7');
  assert.equal(server.seen[0]!.url, '/api/2.0/mlflow/experiments/get-by-name?experiment_name=a+b');
});

test('a deleted experiment is not logged to', async () => {
  const experiment = { experiment_id: '7', name: 'a', lifecycle_stage: 'deleted' };
  const { client } = await connect(() => ({ body: { experiment } }));
  await assert.rejects(client.getOrCreateExperiment('a'), /experiment "a" was deleted/);
});

test('a status that the server would ignore is refused before it is sent', async () => {
  const { client, server } = await connect(() => ({}));
  await assert.rejects(client.updateRun('r', { status: 'DONE' as 'FINISHED' }), /RUNNING.* received DONE/);
  await assert.rejects(
    client.logInputs('r', [{ dataset: { name: 'd', digest: 'x'.repeat(37), source_type: 'local', source: '{}' } }]),
    /at most 36 .* received 37/,
  );
  assert.equal(server.seen.length, 0);
});

test('a metric’s history is read page by page, NaN included', async () => {
  const { client } = await connect(({ url }) =>
    url.includes('page_token')
      ? { body: { metrics: [{ key: 'a', value: 0.5, timestamp: '2', step: '9' }] } }
      : { body: { metrics: [{ key: 'a', value: 'NaN', timestamp: 1 }], next_page_token: 'next' } },
  );
  assert.deepEqual(await client.getMetricHistory('r', 'a'), [
    { key: 'a', value: Number.NaN, timestamp: 1, step: 0 },
    { key: 'a', value: 0.5, timestamp: 2, step: 9 },
  ]);
});

test('artifacts go through the tracking server: from a file, from bytes, and back', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'artifacts-'));
  after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'a.txt'), 'file');
  await writeFile(join(folder, 'empty'), '');
  const { client, server } = await connect(({ url }) =>
    url.includes('runs/get') ? { body: { run: { info } } } : { body: 'content' },
  );
  await client.uploadArtifact('r', 'sub/a b.txt', join(folder, 'a.txt'));
  await client.uploadArtifact('r', 'empty', join(folder, 'empty'));
  await client.uploadArtifact('r', 'bytes', new TextEncoder().encode('bytes'));
  const puts = server.seen.filter(({ method }) => method === 'PUT').map(({ url, body }) => [url, body]);
  const root = '/api/2.0/mlflow-artifacts/artifacts/1/r/artifacts';
  assert.deepEqual(puts, [
    [`${root}/sub/a%20b.txt`, 'file'],
    [`${root}/empty`, ''],
    [`${root}/bytes`, 'bytes'],
  ]);
  assert.equal(new TextDecoder().decode(await client.downloadArtifact('r', 'bytes')), 'content');
  await assert.rejects(client.uploadArtifact('r', '../a', new Uint8Array(1)), RangeError);
  await assert.rejects(client.uploadArtifact('r', 'a', join(folder, 'gone')), /ENOENT/);
});

test('artifacts that the server does not serve itself are refused', async () => {
  const elsewhere = { ...info, artifact_uri: 's3://bucket/1/r/artifacts' };
  const { client } = await connect(() => ({ body: { run: { info: elsewhere } } }));
  await assert.rejects(client.uploadArtifact('r', 'a', new Uint8Array(1)), /s3:\/\/bucket.*--serve-artifacts/);
});

async function failureOf(call: Promise<unknown>): Promise<MlflowError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof MlflowError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'Expected a failure.' });
}
