import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { silentTerminal, type Terminal } from '../../src/core/terminal.ts';
import { openJournal } from '../../src/tracking/journal.ts';
import type { TrackingSource } from '../../src/tracking/tracking.ts';
import { startUploader, syncRun } from '../../src/tracking/uploader.ts';
import { type AnsweringServer, type Reply, type Seen, startAnswering } from '../mlflow-js-client/answering-server.ts';
import { obliging } from './obliging.ts';

const folder = await mkdtemp(join(tmpdir(), 'uploader-'));
const servers: AnsweringServer[] = [];
after(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await rm(folder, { recursive: true });
});

async function serve(reply: (seen: Seen, count: number) => Reply): Promise<AnsweringServer> {
  const server = await startAnswering(reply);
  servers.push(server);
  return server;
}

function listen(): { terminal: Terminal; warnings: string[] } {
  const warnings: string[] = [];
  return { terminal: { ...silentTerminal, warn: (line) => void warnings.push(line) }, warnings };
}

function at(uri: string): TrackingSource {
  return { ready: Promise.resolve({ uri }), cancel: () => {} };
}

let count = 0;
async function writeRun(steps: number, ...values: Record<string, number>[]): Promise<string> {
  const runDir = join(folder, `run-${count++}`);
  const journal = await openJournal(runDir);
  journal.run({ run_id: 'r', name: 'n', experiment: 'e', params: { lr: '0.1' }, tags: { fold: '0' } });
  for (let step = 0; step < steps; step++) journal.metrics({ 'train/loss': step }, step);
  for (const each of values) journal.metrics(each, 0);
  journal.end('FINISHED');
  journal.close();
  return runDir;
}

const batches = (server: AnsweringServer) =>
  server.seen
    .filter(({ url }) => url.includes('log-batch'))
    .map(({ body }) => JSON.parse(body) as { metrics?: { key: string; step: number }[] })
    .flatMap(({ metrics }) => (metrics === undefined ? [] : [metrics]));

test('many lines go in few requests, and nothing twice', async () => {
  const server = await serve(obliging);
  const runDir = await writeRun(1500);
  const uploader = startUploader({ runDir, tracking: at(server.uri) }, silentTerminal);
  assert.deepEqual(await uploader.finish(20_000), { mlflow_run_id: 'm', tracking_uri: server.uri, pending: 0 });
  const sent = batches(server);
  assert.deepEqual(
    sent.flat().map(({ step }) => step),
    Array.from({ length: 1500 }, (_, step) => step),
  );
  // 1,502 lines of some 90 bytes are two chunks of 128 KiB, and the first has more than one request's 1,000 metrics.
  assert.ok(sent.length <= 3, `${sent.length} requests`);
  const before = server.seen.length;
  const again = await syncRun(runDir, { uri: server.uri }, silentTerminal);
  assert.deepEqual([again.uploaded, again.pending], [0, 0]);
  assert.deepEqual(
    server.seen.slice(before).map(({ method, url }) => `${method} ${url.split('?')[0]!.split('/').at(-1)}`),
    ['GET version', 'GET get'],
  );
});

test('a run that goes on is followed', async () => {
  const server = await serve(obliging);
  const runDir = join(folder, `run-${count++}`);
  const uploader = startUploader({ runDir, tracking: at(server.uri) }, silentTerminal);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const journal = await openJournal(runDir);
  journal.run({ run_id: 'r', name: 'n', experiment: 'e', params: {}, tags: {} });
  journal.metrics({ a: 1 }, 1);
  while (batches(server).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  journal.metrics({ a: 1 }, 2);
  journal.end('FINISHED');
  journal.close();
  assert.equal((await uploader.finish(20_000)).pending, 0);
  assert.deepEqual(
    batches(server).map((metrics) => metrics.map(({ step }) => step)),
    [[1], [2]],
  );
});

test('a server that is not there is named once, costs the end of a run little, and loses nothing', async () => {
  const server = await serve(obliging);
  const { uri } = server;
  await server.stop();
  const runDir = await writeRun(3);
  const { terminal, warnings } = listen();
  const uploader = startUploader({ runDir, tracking: at(uri) }, terminal);
  // The run, three lines of metrics, its end.
  assert.deepEqual(await uploader.finish(60_000), { mlflow_run_id: undefined, tracking_uri: undefined, pending: 5 });
  assert.equal(warnings.length, 2, warnings.join('\n'));
  assert.match(warnings[0]!, /not in MLflow yet, the run goes on: .*ECONNREFUSED/);
  assert.match(warnings[1]!, /5 journal lines are not in MLflow yet; `npm run sync run-\d+`/);
  const back = await startAnswering(obliging, Number(new URL(uri).port));
  servers.push(back);
  assert.equal((await syncRun(runDir, { uri }, silentTerminal)).uploaded, 5);
});

test('a server that hangs holds the end of a run no longer than allowed', async () => {
  const server = await serve(() => 'hang');
  const runDir = await writeRun(1);
  const { terminal, warnings } = listen();
  const uploader = startUploader({ runDir, tracking: at(server.uri) }, terminal);
  const started = performance.now();
  assert.equal((await uploader.finish(300)).pending, 3);
  assert.ok(performance.now() - started < 5000);
  assert.match(warnings.join('\n'), /3 journal lines are not in MLflow yet/);
});

test('a server that fails for a while gets everything in the end', async () => {
  const server = await serve((seen, n) => (n <= 4 ? { status: 500, body: 'Internal Server Error' } : obliging(seen)));
  const runDir = await writeRun(3);
  const uploader = startUploader({ runDir, tracking: at(server.uri) }, silentTerminal);
  assert.equal((await uploader.finish(30_000)).pending, 0);
});

test('no server at all is said, and a wait for one is given up in time', async () => {
  const runDir = await writeRun(1);
  const { terminal, warnings } = listen();
  const failed = { ready: Promise.reject(new Error('there is no python3')), cancel: () => {} };
  assert.equal((await startUploader({ runDir, tracking: failed }, terminal).finish(1000)).pending, 3);
  assert.match(warnings[0]!, /the run goes on: there is no python3/);
  let cancel = () => {};
  const ready = new Promise<never>((_, reject) => {
    cancel = () => reject(new Error('cancelled'));
  });
  assert.equal((await startUploader({ runDir, tracking: { ready, cancel } }, terminal).finish(100)).pending, 3);
});

test('what MLflow refuses is named and passed over; all else of the same line arrives', async () => {
  const server = await serve(obliging);
  const runDir = await writeRun(1, { 'bad[key]': 1, good: 2 }, { poison: 1, better: 2 });
  const { terminal, warnings } = listen();
  assert.equal((await syncRun(runDir, { uri: server.uri }, terminal)).pending, 0);
  assert.equal(warnings.length, 2, warnings.join('\n'));
  assert.match(warnings[0]!, /does not take metric bad\[key\] at step 0/);
  assert.match(warnings[1]!, /does not take metric poison at step 0: .*INVALID_PARAMETER_VALUE/);
  const keys = new Set(batches(server).flatMap((metrics) => metrics.map(({ key }) => key)));
  assert.ok(keys.has('good') && keys.has('better') && keys.has('train/loss'));
});

test('an upload that lost its place finds the run again; one that was refused entry keeps everything', async () => {
  const server = await serve((seen) =>
    seen.url.includes('runs/search')
      ? { body: { runs: [found(obliging({ ...seen, url: 'runs/get' }))] } }
      : obliging(seen),
  );
  const runDir = await writeRun(1);
  assert.equal((await syncRun(runDir, { uri: server.uri }, silentTerminal)).mlflow_run_id, 'm');
  assert.ok(!server.seen.some(({ url }) => url.includes('runs/create')));
  const position = JSON.parse(await readFile(join(runDir, 'mlflow.json'), 'utf8')) as { offset: number };
  assert.equal(position.offset, (await readFile(join(runDir, 'journal.jsonl'))).length);

  const closed = await serve(() => ({ status: 401, body: 'You are not authenticated' }));
  const other = await writeRun(1);
  await assert.rejects(syncRun(other, { uri: closed.uri }, silentTerminal), /401: You are not authenticated/);
});

function found(reply: Reply): unknown {
  return (reply as { body: { run: unknown } }).body.run;
}
