import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { jobsConfig, type SlurmJobs } from '../../src/config/jobs.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { endOf, readEnd } from '../../src/jobs/attempt.ts';
import type { Executor, Job, JobState } from '../../src/jobs/executor.ts';
import { slurmExecutor } from '../../src/jobs/slurm/slurm-executor.ts';
import { type JobsFolder, makeJobsFolder, SWEEP } from './engine-jobs.ts';
import { startSlurm } from './slurm-cluster.ts';

const slurm = await startSlurm();
const skip = typeof slurm === 'string' ? slurm : false;

let place: JobsFolder;
before(async () => {
  if (typeof slurm === 'string') return;
  Object.assign(process.env, slurm.environment);
  place = await makeJobsFolder('slurm');
});
after(async () => {
  if (typeof slurm === 'string') return;
  await slurm.stop();
  await place.remove();
});

/** A fresh one, as of a process that was begun again. */
function executorOf(keys: Record<string, unknown> = {}): Executor {
  const typed = { executor: 'slurm', gpus: 0, cpus: 1, memory: 1, ...keys };
  const config = jobsConfig(typed).parse(typed) as SlurmJobs;
  const project = new URL('../..', import.meta.url).pathname;
  return slurmExecutor(config, { project, sweep: SWEEP, terminal: silentTerminal });
}

/** Polls until it is so; throws after a minute, with what the job printed. */
async function until(what: string, job: Job, handle: string, isSo: () => Promise<boolean>): Promise<void> {
  const executor = executorOf();
  for (let left = 30; !(await isSo()); left--) {
    assert.ok(left > 0, `${what} is not so after a minute: ${await executor.logs(handle, job)}`);
    await executor.wait(new AbortController().signal);
  }
}

async function untilState(state: JobState, job: Job, handle: string): Promise<void> {
  await until(state, job, handle, async () => (await executorOf().status([handle])).get(handle) === state);
}

async function untilSaid(said: RegExp, job: Job, handle: string): Promise<void> {
  await until(`${said}`, job, handle, async () => said.test(await executorOf().logs(handle, job)));
}

/** The process that makes an attempt (proc(5)). */
async function processOf({ file }: Job): Promise<number> {
  for (const name of await readdir('/proc')) {
    const line = await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '');
    if (line.endsWith(`run-unit.ts\0${file}\0`)) return Number(name);
  }
  throw new Error(`no process makes ${file}`);
}

test('a cluster is asked whether it can give what jobs need', { skip }, async () => {
  await executorOf({ gpus: 1, partition: 'high' }).check();
  const refuses = (keys: Record<string, unknown>, why: RegExp) =>
    assert.rejects(executorOf(keys).check(), (error) => error instanceof UserError && why.test(error.message));
  await refuses({ gpus: 2 }, /Expected a node with 2 GPUs/);
  await refuses({ partition: 'middle' }, /partitions \(low, high\)/);
  await refuses({ time: 'soon' }, /Expected sbatch to .*[Ii]nvalid/s);
  await refuses({ options: ['--gres=gpu:2', '--nonsense'] }, /unrecognized option/);
  // While its node is drained, jobs can wait for it.
  await execa('scontrol', ['update', 'nodename=node1', 'state=drain', 'reason=test']);
  await executorOf({ gpus: 1 }).check();
  await execa('scontrol', ['update', 'nodename=node1', 'state=resume']);
});

test('jobs run, more than one array takes, and say how they ended', { skip }, async () => {
  const executor = executorOf();
  const jobs = await Promise.all(['a', 'b', 'c', 'd'].map((name) => place.jobOf(name, ['help', 'json=true'])));
  jobs.push(await place.jobOf('wrong', ['exp', 'nowhere.yml']));
  const handles = await executor.submit(jobs);
  assert.equal(new Set(handles).size, 5);
  for (const [i, job] of jobs.entries()) await untilState('gone', job, handles[i]!);
  assert.deepEqual(
    jobs.map(({ file }) => readEnd(file)?.code),
    [0, 0, 0, 0, 2],
  );
  assert.match(await executor.logs(handles[0]!, jobs[0]!), /"commands"/);
  assert.match(await executor.logs(handles[4]!, jobs[4]!), /nowhere\.yml/);
  await executor.cancel(handles);
});

test('jobs are handed over once, found again by their ids, and cancelled after they have saved', { skip }, async () => {
  const executor = executorOf({ gpus: 1 });
  const jobs = [await place.expOf('cancelled', 2000), await place.expOf('taken-back', 2000)];
  // What Slurm shows a job of its GPUs is in the environment that it begins with.
  process.env.NODE_OPTIONS = '--import=data:text/javascript,console.error(/sees/,process.env.CUDA_VISIBLE_DEVICES)';
  const handles = await executor.submit(jobs).finally(() => delete process.env.NODE_OPTIONS);
  const [first, second] = handles as [string, string];
  // There is one GPU.
  await untilSaid(/epoch 2\/2000/, jobs[0]!, first);
  assert.match(await executor.logs(first, jobs[0]!), /^\/sees\/ 0$/m);
  assert.deepEqual(
    await executor.status(handles),
    new Map([
      [first, 'running'],
      [second, 'waiting'],
    ]),
  );
  assert.deepEqual(await executorOf({ gpus: 1 }).submit(jobs), handles);
  assert.deepEqual(await executorOf().list(SWEEP), new Map(jobs.map(({ id }, i) => [id, handles[i]])));
  assert.deepEqual(await executorOf().list('another'), new Map());

  await executor.cancel(handles);
  await untilState('gone', jobs[1]!, second);
  await untilState('gone', jobs[0]!, first);
  assert.equal(readEnd(jobs[0]!.file)?.code, 143);
  assert.ok(!existsSync(endOf(jobs[1]!.file)));
  assert.equal(await executor.logs(second, jobs[1]!), '');
});

test('a job that is killed is gone without a word of its own', { skip }, async () => {
  const job = await place.expOf('killed', 2000);
  const [handle] = (await executorOf().submit([job])) as [string];
  await untilSaid(/epoch 1\/2000/, job, handle);
  process.kill(await processOf(job), 'SIGKILL');
  await untilState('gone', job, handle);
  assert.equal(readEnd(job.file), undefined);
});

test('a job that makes way for one of a higher partition saves, waits, and goes on under its handle', {
  skip,
}, async () => {
  const low = await place.expOf('preempted', 20);
  const [handle] = (await executorOf({ gpus: 1 }).submit([low])) as [string];
  await untilSaid(/epoch 2\/20/, low, handle);

  const high = await place.jobOf('urgent', ['help']);
  const executor = executorOf({ gpus: 1, partition: 'high', options: ['--begin=now'] });
  const [urgent] = (await executor.submit([high])) as [string];
  await untilState('waiting', low, handle);
  assert.equal(readEnd(low.file)?.code, 143);
  await untilState('gone', high, urgent);
  assert.equal(readEnd(high.file)?.code, 0);

  await untilState('running', low, handle);
  await untilState('gone', low, handle);
  assert.equal(readEnd(low.file)?.code, 0);
  const log = await executor.logs(handle, low);
  assert.match(log, /DUE TO PREEMPTION/);
  assert.match(log, /going on from checkpoint .*: epoch [3-9]/);
  const runs = await readdir(join(place.folder, 'runs'));
  assert.equal(runs.filter((name) => name.includes('preempted')).length, 1);
});

test('before its time is up a job saves and ends as one that is to be taken up again', { skip }, async () => {
  const job = await place.expOf('timed', 2000);
  // A minute is the least, and Slurm sends the signal up to half a minute early.
  const [handle] = (await executorOf({ time: '1', options: ['--signal=B:USR1@15'] }).submit([job])) as [string];
  await untilState('gone', job, handle);
  assert.equal(readEnd(job.file)?.code, 75);
});
