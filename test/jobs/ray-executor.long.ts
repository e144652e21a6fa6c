import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { jobsConfig, type RayJobs } from '../../src/config/jobs.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { endOf, readEnd } from '../../src/jobs/attempt.ts';
import type { Executor, Job, JobState } from '../../src/jobs/executor.ts';
import { rayExecutor } from '../../src/jobs/ray/ray-executor.ts';
import { connectRay } from '../../src/jobs/ray/ray-http.ts';
import { type JobsFolder, makeJobsFolder, SWEEP } from './engine-jobs.ts';
import { startRay } from './ray-cluster.ts';
import { processesOf } from './sweep-of-six.ts';

/** Ray gives up a job that finds no room for so long. */
const START_TIMEOUT_S = 12;

const ray = await startRay({ RAY_JOB_START_TIMEOUT_SECONDS: String(START_TIMEOUT_S) });
const skip = typeof ray === 'string' ? ray : false;

let place: JobsFolder;
before(async () => {
  if (typeof ray === 'string') return;
  place = await makeJobsFolder('ray');
});
after(async () => {
  if (typeof ray === 'string') return;
  await ray.stop();
  await place.remove();
});

/** A fresh one, as of a process that was begun again. */
function executorOf(keys: Record<string, unknown> = {}): Executor {
  const { address } = ray as { address: string };
  const typed = { executor: 'ray', address, gpus: 0, cpus: 1, ...keys };
  const config = jobsConfig(typed).parse(typed) as RayJobs;
  const project = new URL('../..', import.meta.url).pathname;
  return rayExecutor(config, { project, sweep: SWEEP, terminal: silentTerminal });
}

/** Polls until it is so; throws after a minute, with what the job printed. */
async function until(what: string, job: Job, handle: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let left = 120; !(await isSo()); left--) {
    assert.ok(left > 0, `${what} is not so after a minute: ${await executorOf().logs(handle, job)}`);
    await sleep(500);
  }
}

async function untilState(state: JobState, job: Job, handle: string): Promise<void> {
  await until(state, job, handle, async () => (await executorOf().status([handle])).get(handle) === state);
}

async function untilSaid(said: RegExp, job: Job, handle: string): Promise<void> {
  await until(`${said}`, job, handle, async () => said.test(await executorOf().logs(handle, job)));
}

/** What Ray itself says of a job. */
async function rayStatus(id: string): Promise<string> {
  const { address } = ray as { address: string };
  return (await connectRay(address).read<{ status: string }>(`/api/jobs/${id}`)).status;
}

test('a cluster is asked whether it can give what jobs need', { skip }, async () => {
  await executorOf({ cpus: 4, memory: 8 }).check();
  const refuses = (keys: Record<string, unknown>, why: RegExp) =>
    assert.rejects(executorOf(keys).check(), (error) => error instanceof UserError && why.test(error.message));
  await refuses({ gpus: 1 }, /Expected a node with 1 GPUs, 1 cores for each job but .* \(0 GPUs, 4 cores, 8\.0 GiB\)/);
  await refuses({ cpus: 5 }, /Expected a node with 0 GPUs, 5 cores/);
  await refuses({ memory: 9 }, /Expected a node with .* 9\.0 GiB/);
});

test('jobs run and say how they ended', { skip }, async () => {
  const executor = executorOf({ cpus: 2 });
  const jobs = await Promise.all(['a', 'b'].map((name) => place.jobOf(name, ['help', 'json=true'])));
  jobs.push(await place.jobOf('wrong', ['exp', 'nowhere.yml']));
  const handles = await executor.submit(jobs);
  assert.deepEqual(
    handles,
    jobs.map(({ id }) => id),
  );
  for (const [i, job] of jobs.entries()) await untilState('gone', job, handles[i]!);
  assert.deepEqual(
    jobs.map(({ file }) => readEnd(file)?.code),
    [0, 0, 2],
  );
  assert.match(await executor.logs(handles[0]!, jobs[0]!), /"commands"/);
  assert.match(await executor.logs(handles[2]!, jobs[2]!), /nowhere\.yml/);
  // Those that are gone are passed over.
  await executor.cancel(handles);
  assert.equal(await rayStatus(handles[0]!), 'SUCCEEDED');
});

test('jobs are handed over once, wait as long as they must, and are cancelled after they have saved', {
  skip,
}, async () => {
  const executor = executorOf({ cpus: 4 });
  const jobs = [await place.expOf('cancelled', 2000), await place.expOf('taken-back', 2000)];
  const handles = await executor.submit(jobs);
  const [first, second] = handles as [string, string];
  // There are four cores.
  await untilSaid(/epoch 2\/2000/, jobs[0]!, first);
  const bothWays = new Map([
    [first, 'running'],
    [second, 'waiting'],
  ]);
  assert.deepEqual(await executor.status(handles), bothWays);
  assert.deepEqual(await executorOf({ cpus: 4 }).submit(jobs), handles);
  const listed = await executorOf().list(SWEEP);
  for (const id of handles) assert.equal(listed.get(id), id);
  assert.deepEqual(await executorOf().list('another'), new Map());

  await until('given up by Ray', jobs[1]!, second, async () => (await rayStatus(second)) === 'FAILED');
  assert.deepEqual(await executorOf({ cpus: 4 }).status(handles), bothWays);
  assert.equal(await rayStatus(second), 'PENDING');

  await executor.cancel(handles);
  assert.equal((await executor.status(handles)).get(second), 'gone');
  await untilState('gone', jobs[0]!, first);
  assert.equal(readEnd(jobs[0]!.file)?.code, 143);
  // Ray begins it when there is room, to end it at once.
  await until('ended by Ray', jobs[1]!, second, async () => (await rayStatus(second)) === 'STOPPED');
  assert.ok(!existsSync(endOf(jobs[1]!.file)));
});

for (const what of ['its own process', 'Ray’s process of it']) {
  test(`a job that is killed (${what}) is gone without a word of its own, and leaves nothing behind`, {
    skip,
  }, async () => {
    const job = await place.expOf(what === 'its own process' ? 'killed' : 'killed-above', 2000);
    const [handle] = (await executorOf({ cpus: 4 }).submit([job])) as [string];
    await untilSaid(/epoch 1\/2000/, job, handle);
    const [unit] = processesOf('src/run-unit.ts', job.file) as [number];
    const [training] = readFileSync(`/proc/${unit}/task/${unit}/children`, 'utf8').split(' ').map(Number);
    const trains = () => processesOf('run-child.ts').includes(training!);
    assert.ok(trains(), 'it trains in a child of its own');
    const above = Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${unit}/status`, 'utf8'))![1]);
    process.kill(what === 'its own process' ? unit : above, 'SIGKILL');
    await untilState('gone', job, handle);
    await until('the end of what trains', job, handle, async () => !trains());
    assert.equal(readEnd(job.file), undefined);
    assert.equal(await rayStatus(handle), 'FAILED');
  });
}

test('a packed project is installed and run where it was unpacked, once for several jobs', { skip }, async () => {
  const executor = executorOf({ working_dir: 'packed', cpus: 2 });
  const jobs = await Promise.all(['packed-1', 'packed-2'].map((name) => place.jobOf(name, ['help', 'json=true'])));
  const handles = await executor.submit(jobs);
  for (const [i, job] of jobs.entries()) await untilState('gone', job, handles[i]!);
  const logs = await Promise.all(jobs.map((job, i) => executor.logs(handles[i]!, job)));
  assert.deepEqual(
    jobs.map(({ file }) => readEnd(file)?.code),
    [0, 0],
    logs.join('\n'),
  );
  assert.equal(logs.join('').match(/added \d+ packages/g)?.length, 1, logs.join('\n'));
});
