import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, test } from 'node:test';
import { execa } from 'execa';
import { jobsConfig, type RayJobs } from '../../src/config/jobs.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import type { Job } from '../../src/jobs/executor.ts';
import { entrypointOf, quoteWord } from '../../src/jobs/ray/entrypoint.ts';
import { packProject } from '../../src/jobs/ray/package-project.ts';
import { rayExecutor } from '../../src/jobs/ray/ray-executor.ts';

interface Asked {
  /** `GET /api/version`. */
  what: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}
type Reply = { status?: number; json?: unknown; text?: string };

/** What the head answers, by method and path, or by its beginning; 404 for all else. */
let replies: Record<string, Reply | ((asked: Asked) => Reply)>;
let asked: Asked[];
let head: Server;
let address: string;
let warnings: string[];
beforeEach(async () => {
  replies = {};
  asked = [];
  warnings = [];
  head = createServer(async (request, response) => {
    const one = {
      what: `${request.method} ${request.url}`,
      headers: request.headers,
      body: await buffer(request),
    };
    asked.push(one);
    const reply = replies[one.what];
    const { status, json, text } = (typeof reply === 'function' ? reply(one) : reply) ?? { status: 404, text: 'no' };
    response.writeHead(status ?? 200).end(text ?? JSON.stringify(json));
  });
  await new Promise<void>((resolve) => head.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(head.address() as AddressInfo).port}`;
});
afterEach(async () => {
  head.closeAllConnections();
  await new Promise((resolve) => head.close(resolve));
});

const JOBS: Job[] = [1, 2].map((unit) => ({ id: `s.u${unit}.1`, file: `/shared/runs/s/attempts/u${unit}.1.json` }));
const HANDLES = JOBS.map(({ id }) => id);

function executor(config: Partial<RayJobs> = {}, project = '/shared/harness') {
  const whole: RayJobs = { executor: 'ray', address, gpus: 1, cpus: 4, working_dir: 'shared', ...config };
  const terminal = { ...silentTerminal, warn: (line: string) => void warnings.push(line) };
  return rayExecutor(whole, { project, sweep: 's', terminal });
}

function bodies(what: string) {
  return asked.filter((one) => one.what === what).map(({ body }) => JSON.parse(body.toString()));
}

/** A job in Ray's list. */
function known(submission_id: string | null, status: string, more: object = {}) {
  return { submission_id, status, entrypoint: 'exec node x', error_type: null, metadata: { sweep: 's' }, ...more };
}

test('jobs are handed over under their own id with what they need, by a request that no browser sends', async () => {
  replies['POST /api/jobs/'] = { json: {} };
  assert.deepEqual(await executor({ gpus: 0.5, memory: 1.5 }).submit(JOBS), HANDLES);
  assert.deepEqual(
    bodies('POST /api/jobs/').sort((a, b) => a.submission_id.localeCompare(b.submission_id)),
    JOBS.map(({ id, file }) => ({
      submission_id: id,
      entrypoint: `cd /shared/harness && exec node --import tsx src/run-unit.ts ${file}`,
      runtime_env: { env_vars: { RAY_JOB_STOP_WAIT_TIME_S: '600' } },
      metadata: { sweep: 's' },
      entrypoint_num_gpus: 0.5,
      entrypoint_num_cpus: 4,
      entrypoint_memory: 1.5 * 2 ** 30,
    })),
  );
  for (const { headers } of asked) {
    assert.equal(headers['content-type'], 'application/json');
    assert.ok(!Object.keys(headers).some((name) => name.startsWith('sec-') || name === 'origin'), String(headers));
    assert.equal(headers.authorization, undefined);
  }
  await executor().submit(JOBS.slice(0, 1));
  assert.ok(!('entrypoint_memory' in bodies('POST /api/jobs/').at(-1)));
});

const EXISTS = 'Traceback …\nValueError: Job with submission_id s.u1.1 already exists. Please use a different one.\n.';

test('a job that Ray has already is handed over; of what it refuses the reason is told', async () => {
  replies['POST /api/jobs/'] = { status: 500, text: EXISTS };
  assert.deepEqual(await executor().submit(JOBS.slice(0, 1)), ['s.u1.1']);
  const error = /^Error: Expected status 200 for POST .*\(s\.u2\.1\) but received "500: ValueError: Job with .*"\.$/;
  await assert.rejects(executor().submit(JOBS.slice(1)), error);
});

test('many jobs are handed over, a few requests at a time', async () => {
  replies['POST /api/jobs/'] = { json: {} };
  const jobs = Array.from({ length: 50 }, (_, unit) => ({ id: `s.u${unit}.1`, file: `/f/u${unit}.1.json` }));
  assert.equal((await executor().submit(jobs)).length, 50);
  assert.equal(new Set(bodies('POST /api/jobs/').map(({ submission_id }) => submission_id)).size, 50);
});

test('states are one request for all jobs; one that Ray does not know is gone', async () => {
  const states = ['PENDING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'STOPPED'];
  const list = [...states.map((state) => known(state, state)), known('another', 'RUNNING'), known(null, 'RUNNING')];
  replies['GET /api/jobs/'] = { json: list };
  assert.deepEqual(
    [...(await executor().status([...states, 'lost']))],
    [
      ['PENDING', 'waiting'],
      ['RUNNING', 'running'],
      ['SUCCEEDED', 'gone'],
      ['FAILED', 'gone'],
      ['STOPPED', 'gone'],
      ['lost', 'gone'],
    ],
  );
  assert.equal(asked.length, 1);
});

test('a job that Ray gave up because it found no room is handed over again and waits', async () => {
  const givenUp = { error_type: 'JOB_SUPERVISOR_ACTOR_START_TIMEOUT' };
  replies['GET /api/jobs/'] = { json: [known('s.u1.1', 'FAILED', givenUp), known('s.u2.1', 'FAILED')] };
  replies['DELETE /api/jobs/s.u1.1'] = { json: { deleted: true } };
  replies['POST /api/jobs/'] = { json: {} };
  const states = await executor().status(HANDLES);
  assert.deepEqual([...states.values()], ['waiting', 'gone']);
  assert.deepEqual(
    asked.map(({ what }) => what),
    ['GET /api/jobs/', 'DELETE /api/jobs/s.u1.1', 'POST /api/jobs/'],
  );
  const [{ submission_id, entrypoint, entrypoint_num_gpus }] = bodies('POST /api/jobs/');
  assert.deepEqual([submission_id, entrypoint, entrypoint_num_gpus], ['s.u1.1', 'exec node x', 1]);
});

test('jobs are told to stop; one that waits is gone, one that runs is so when it has saved', async () => {
  for (const id of HANDLES) replies[`POST /api/jobs/${id}/stop`] = { json: { stopped: true } };
  replies['GET /api/jobs/'] = { json: [known('s.u1.1', 'PENDING'), known('s.u2.1', 'RUNNING')] };
  const ray = executor();
  await ray.cancel([...HANDLES, 'unknown']);
  assert.deepEqual([...(await ray.status(HANDLES)).values()], ['gone', 'running']);
  // Given up meanwhile: it is not begun after all.
  const givenUp = { error_type: 'JOB_SUPERVISOR_ACTOR_START_TIMEOUT' };
  replies['GET /api/jobs/'] = { json: [known('s.u1.1', 'FAILED', givenUp)] };
  assert.deepEqual([...(await ray.status(['s.u1.1'])).values()], ['gone']);
  replies['POST /api/jobs/s.u1.1/stop'] = { status: 500, text: 'RuntimeError: no agent' };
  await assert.rejects(ray.cancel(['s.u1.1']), /Expected status 200 for POST .*stop but received "500: RuntimeError/);
});

test('the end of what a job has printed, from the beginning of a line, at most 64 KiB', async () => {
  const line = `${'ü'.repeat(50)}\n`;
  replies['GET /api/jobs/s.u1.1/logs'] = { json: { logs: `begin\n${line.repeat(2000)}end\n` } };
  replies['GET /api/jobs/s.u2.1/logs'] = { json: { logs: 'short\n' } };
  const long = await executor().logs('s.u1.1', JOBS[0]!);
  assert.ok(Buffer.byteLength(long) <= 65536 && Buffer.byteLength(long) > 65000, `${Buffer.byteLength(long)}`);
  assert.ok(long.startsWith(line) && long.endsWith(`${line}end\n`));
  assert.equal(await executor().logs('s.u2.1', JOBS[1]!), 'short\n');
  assert.equal(await executor().logs('unknown', JOBS[1]!), '');
});

test('a sweep’s own jobs are listed', async () => {
  const list = [known('s.u1.1', 'STOPPED'), known('t.u1.1', 'RUNNING', { metadata: { sweep: 't' } })];
  replies['GET /api/jobs/'] = {
    json: [...list, known(null, 'RUNNING'), known('raysubmit_x', 'RUNNING', { metadata: null })],
  };
  assert.deepEqual([...(await executor().list('s'))], [['s.u1.1', 's.u1.1']]);
});

test('waiting ends at once when it is told to', async () => {
  await executor().wait(AbortSignal.abort());
});

test('of a job that could not be begun the reason is told', async () => {
  replies['GET /api/jobs/s.u1.1/logs'] = { json: { logs: '' } };
  replies['GET /api/jobs/s.u1.1'] = { json: known('s.u1.1', 'FAILED', { message: 'runtime_env setup failed' }) };
  assert.equal(await executor().logs('s.u1.1', JOBS[0]!), 'runtime_env setup failed');
  replies['GET /api/jobs/s.u1.1'] = { json: known('s.u1.1', 'PENDING', { message: 'Job has not started yet.' }) };
  assert.equal(await executor().logs('s.u1.1', JOBS[0]!), '');
});

test('GPUs are whole or a share of one', () => {
  const isFine = (gpus: number) =>
    jobsConfig({ executor: 'ray' }).safeParse({ executor: 'ray', address, gpus }).success;
  assert.deepEqual([0, 1e-4, 0.25, 1, 2].filter(isFine), [0, 1e-4, 0.25, 1, 2]);
  assert.deepEqual([1e-5, 1.5, -1].filter(isFine), []);
});

test('a token is sent with every request, and one that is wrong is said before anything is handed over', async (t) => {
  process.env.RAY_AUTH_TOKEN = 'secret';
  t.after(() => delete process.env.RAY_AUTH_TOKEN);
  replies['GET /api/jobs/'] = { json: [] };
  const ray = executor();
  await ray.status(HANDLES);
  assert.equal(asked[0]!.headers.authorization, 'Bearer secret');
  for (const status of [401, 403]) {
    const reply = { status, text: 'Forbidden: the token is wrong' };
    Object.assign(replies, { 'GET /api/jobs/': reply, 'POST /api/jobs/': reply, 'GET /api/version': reply });
    const message = /but received "40[13]: Forbidden: the token is wrong"\. Set RAY_AUTH_TOKEN to the cluster’s token/;
    // A sweep under way waits for a token that is right.
    await assert.rejects(ray.status(HANDLES), { name: 'Error', message });
    await assert.rejects(ray.submit(JOBS), { name: 'Error', message });
    await assert.rejects(ray.check(), { name: 'UserError', message });
  }
});

test('an address may have a path and a user; the password is never shown', async () => {
  const named = address.replace('http://', 'http://me:secret@');
  replies['GET /ray/api/jobs/'] = { status: 502, text: '<html>\n<b>Bad gateway</b>' };
  const error = await executor({ address: `${named}/ray/` })
    .list('s')
    .catch(String);
  assert.equal(
    error,
    `Error: Expected status 200 for GET ${address}/ray/api/jobs/ but received "502: <b>Bad gateway</b>".`,
  );
  assert.equal(asked[0]!.headers.authorization, `Basic ${Buffer.from('me:secret').toString('base64')}`);
});

/** A cluster of one node. */
function cluster(resources_total: object, nodeTypes: Record<string, string> | undefined = { n1: 'node_n1' }) {
  const nodes = [
    { node_id: 'n1', state: 'ALIVE', resources_total },
    { node_id: 'n0', state: 'DEAD', resources_total: { GPU: 8, CPU: 64, memory: 2 ** 40 } },
  ];
  replies['GET /api/version'] = { json: { ray_version: '2.60.0' } };
  replies['GET /api/v0/nodes?limit=10000'] = { json: { data: { result: { result: nodes } } } };
  const clusterStatus = nodeTypes && { autoscalerReport: { nodeTypeMapping: nodeTypes } };
  replies['GET /api/cluster_status'] = { json: { data: { clusterStatus: clusterStatus ?? null } } };
}

test('a cluster that has what jobs need passes', async () => {
  cluster({ GPU: 2, CPU: 4, memory: 8 * 2 ** 30 });
  await executor({ memory: 8 }).check();
  assert.deepEqual(warnings, []);
});

for (const [what, config] of [
  ['GPUs', { gpus: 3 }],
  ['cores', { cpus: 5 }],
  ['memory', { memory: 8.5 }],
] as const) {
  test(`a cluster none of whose living nodes has so much of ${what} is refused, unless an autoscaler may bring one`, async () => {
    const resources = { GPU: 2, CPU: 4, memory: 8 * 2 ** 30 };
    cluster(resources);
    const message =
      /^Expected a node with \d GPUs, \d cores.* but http:.* has none \(2 GPUs, 4 cores, 8\.0 GiB\)\. Lower/;
    await assert.rejects(executor(config).check(), { name: 'UserError', message });
    assert.deepEqual(warnings, []);
    for (const types of [{ n1: 'worker' }, {}, undefined]) {
      cluster(resources, types);
      if (types === undefined) replies['GET /api/cluster_status'] = { json: { data: { clusterStatus: null } } };
      await executor(config).check();
      assert.match(warnings.pop() ?? '', /Jobs wait until one comes\.$/);
    }
  });
}

test('an address where nothing or something else answers is the user’s mistake', async () => {
  const next = /Set jobs\.address to the dashboard of the cluster’s head/;
  for (const reply of [{ text: '<html>' }, { status: 404, text: 'no' }, { json: { version: 1 } }, { json: null }]) {
    replies['GET /api/version'] = reply;
    await assert.rejects(executor().check(), { name: 'UserError', message: next });
  }
  const nobody = executor({ address: 'http://127.0.0.1:9' });
  await assert.rejects(nobody.check(), { name: 'UserError', message: next });
  await assert.rejects(
    nobody.submit(JOBS),
    /^Error: Expected an answer of Ray for POST .* but received ".*ECONNREFUSED/,
  );
});

test('each word of a job’s line is one word of the shell', async () => {
  const words = ['plain-1.json', 'a b', "it's", '$HOME', '`id`', '"', '\\', '', 'ü', '*', '!x', '-n', "'; exit 3; '"];
  const { stdout } = await execa('sh', ['-c', `printf '[%s]\\n' ${words.map(quoteWord).join(' ')}`]);
  assert.deepEqual(
    stdout.split('\n'),
    words.map((word) => `[${word}]`),
  );
  assert.equal(quoteWord('/a/b-c_d.json'), '/a/b-c_d.json');
});

test('a job’s line becomes node in the project’s folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ray it's "));
  t.after(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'src'));
  await writeFile(join(folder, 'src/run-unit.ts'), 'console.log(process.ppid, process.cwd(), process.argv[2])');
  const line = entrypointOf({ id: 's.u.1', file: '/a b/u.json' }, 'shared', folder).replace('--import tsx', '');
  const { stdout } = await execa('sh', ['-c', line]);
  // Its parent is this process: the shell between has become it.
  assert.equal(stdout, `${process.pid} ${folder} /a b/u.json`);
});

/** A clone with code, data, something untracked and something that git knows and the folder does not have. */
async function makeClone(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ray-package-'));
  const files = { 'package.json': '{}', 'src/a.ts': 'a', 'src/gone.ts': 'x', '.gitignore': '/ignored\n' };
  for (const [name, text] of Object.entries({ ...files, 'runs/x/a.json': '1', 'data/a.dcm': '1' })) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
  await execa('git', ['init', '--quiet'], { cwd: folder });
  await execa('git', ['add', '.'], { cwd: folder });
  await rm(join(folder, 'src/gone.ts'));
  await writeFile(join(folder, 'ignored'), 'i');
  await writeFile(join(folder, 'experiment.yml'), 'new');
  return folder;
}

test('a project is packed without what runs write, and the same files give the same package', async (t) => {
  const folder = await makeClone();
  t.after(() => rm(folder, { recursive: true }));
  const { name, zip } = await packProject(folder);
  assert.match(name, /^_ray_pkg_[0-9a-f]{40}\.zip$/);
  const file = join(folder, 'ignored');
  await writeFile(file, zip);
  const { stdout } = await execa('python3', ['-m', 'zipfile', '-l', file]);
  const names = stdout
    .split('\n')
    .slice(1)
    .map((line) => line.split(' ')[0]);
  assert.deepEqual(names, ['.gitignore', 'experiment.yml', 'package.json', 'src/a.ts']);
  assert.deepEqual(await packProject(folder), { name, zip });
  await writeFile(join(folder, 'src/a.ts'), 'b');
  assert.notEqual((await packProject(folder)).name, name);
});

test('a packed project is sent once, and again when the cluster has thrown it away; jobs install it and begin there', async (t) => {
  const folder = await makeClone();
  t.after(() => rm(folder, { recursive: true }));
  const { name, zip } = await packProject(folder);
  const path = `/api/packages/gcs/${name}`;
  let kept = false;
  replies[`GET ${path}`] = () => ({ status: kept ? 200 : 404, text: '' });
  replies[`PUT ${path}`] = () => {
    kept = true;
    return { text: '' };
  };
  replies['POST /api/jobs/'] = { json: {} };
  const ray = executor({ working_dir: 'packed' }, folder);
  await ray.submit(JOBS);
  // What is changed afterwards is not in the jobs of the same process.
  await writeFile(join(folder, 'src/a.ts'), 'changed');
  await ray.submit(JOBS);
  kept = false;
  await ray.submit(JOBS.slice(0, 1));
  const sent = asked.filter(({ what }) => what === `PUT ${path}`);
  assert.equal(sent.length, 2);
  for (const { body } of sent) assert.deepEqual(body, zip);
  for (const { runtime_env, entrypoint } of bodies('POST /api/jobs/')) {
    assert.equal(runtime_env.working_dir, `gcs://${name}`);
    assert.match(entrypoint, /npm ci .* && exec node --import tsx src\/run-unit\.ts \/shared/);
  }
});

test('a project that cannot be packed is the user’s mistake, before anything is handed over', async (t) => {
  cluster({ GPU: 2, CPU: 4, memory: 8 * 2 ** 30 });
  const folder = await makeClone();
  t.after(() => rm(folder, { recursive: true }));
  await writeFile(join(folder, 'big'), Buffer.alloc(101 * 2 ** 20));
  const tooBig = /Expected at most 100 MiB of files for jobs\.working_dir=packed/;
  await assert.rejects(executor({ working_dir: 'packed' }, folder).check(), { name: 'UserError', message: tooBig });
  await rm(join(folder, 'big'));
  await executor({ working_dir: 'packed' }, folder).check();
  await rm(join(folder, '.git'), { recursive: true });
  const noClone = /Expected git to list the files of .* but it failed:\nfatal: not a git repository/;
  await assert.rejects(executor({ working_dir: 'packed' }, folder).check(), { name: 'UserError', message: noClone });
});

test('by default a cluster gets a thousand jobs at once', () => {
  assert.deepEqual([executor().atOnce, executor({ at_once: 7 }).atOnce], [1000, 7]);
});
