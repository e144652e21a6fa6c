import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { execa } from 'execa';
import { jobsConfig, type SlurmJobs } from '../../src/config/jobs.ts';
import { UserError } from '../../src/core/errors.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import type { Job } from '../../src/jobs/executor.ts';
import { slurmExecutor } from '../../src/jobs/slurm/slurm-executor.ts';
import { type FakeSlurm, fakeSlurm } from './slurm-fakes.ts';

const SWEEP = '20261129T060000-lr';

let slurm: FakeSlurm;
let warnings: string[];
beforeEach(async () => {
  slurm = await fakeSlurm();
  warnings = [];
});
afterEach(async () => await slurm.remove());

function executorOf(keys: Record<string, unknown> = {}, sweep = SWEEP) {
  const config = jobsConfig({ executor: 'slurm', ...keys }).parse({ executor: 'slurm', ...keys }) as SlurmJobs;
  const terminal = { ...silentTerminal, warn: (line: string) => void warnings.push(line) };
  return slurmExecutor(config, { project: '/shared/harness', sweep, terminal });
}

function jobsOf(count: number, sweep = SWEEP): Job[] {
  return Array.from({ length: count }, (_, i) => ({
    id: `${sweep}.unit-${i}.1`,
    file: join(slurm.folder, 'runs of 100%', `unit-${i}.1.json`),
  }));
}

test('jobs are handed over as one array, with what was asked for', async () => {
  const jobs = jobsOf(3);
  const keys = { gpus: 2, cpus: 6, memory: 1.5, partition: 'gpu', account: 'lab', time: '1-00:00:00' };
  const options = ['--qos=low', '--signal=B:USR1@300'];
  assert.deepEqual(await executorOf({ ...keys, options }).submit(jobs), ['70_0', '70_1', '70_2']);
  const [words, ...others] = slurm.calls('sbatch') as [string[], ...string[][]];
  assert.deepEqual(others, []);
  const script = words.findIndex((word) => word.endsWith('/src/jobs/slurm/array-task.sh'));
  const arrayFile = words[script + 1]!;
  assert.deepEqual(words.slice(script + 2), ['node', '--import', 'tsx', 'src/run-unit.ts']);
  assert.deepEqual(words.slice(0, script), [
    '--gres=gpu:2',
    '--ntasks=1',
    '--cpus-per-task=6',
    '--mem=1536M',
    '--partition=gpu',
    '--account=lab',
    '--time=1-00:00:00',
    '--requeue',
    '--signal=B:USR1@120',
    ...options,
    '--parsable',
    '--array=0-2',
    `--job-name=${SWEEP}`,
    `--comment=${arrayFile}`,
    '--chdir=/shared/harness',
    `--output=${join(slurm.folder, 'runs of 100%%', 'slurm-%A_%a.log')}`,
    '--open-mode=append',
  ]);
  assert.equal(await readFile(arrayFile, 'utf8'), jobs.map(({ id, file }) => `${id}\t${file}\n`).join(''));
});

test('what is not asked for is not an option', async () => {
  await executorOf({ gpus: 0 }).submit(jobsOf(1));
  const asked = slurm.calls('sbatch')[0]!.join(' ');
  assert.doesNotMatch(asked, /--(gres|mem|partition|account|time)/);
  assert.match(asked, /--cpus-per-task=4/);
});

test('a task runs its own line of the array', async () => {
  const jobs = jobsOf(3);
  await executorOf().submit(jobs);
  const words = slurm.calls('sbatch')[0]!;
  const [script, arrayFile] = words.slice(words.findIndex((word) => word.endsWith('array-task.sh')));
  const show = 'console.log(JSON.stringify(process.argv.slice(1)))';
  const run = async (task: number) => {
    const env = { PATH: '/usr/bin:/bin', SLURM_ARRAY_TASK_ID: `${task}` };
    return await execa('/bin/bash', [script!, arrayFile!, process.execPath, '-e', show, '--', 'a b'], {
      env,
      reject: false,
    });
  };
  for (const task of [0, 2]) assert.deepEqual(JSON.parse((await run(task)).stdout), ['a b', jobs[task]!.file]);
  const beyond = await run(3);
  assert.equal(beyond.exitCode, 1);
  assert.match(beyond.stderr, /Expected a job in line 4 of .*array-[0-9a-f]{16}\.txt but received none/);
});

test('no array is larger than the cluster lets it be', async () => {
  slurm.change({ maxArraySize: 4 });
  const handles = await executorOf().submit(jobsOf(10));
  assert.deepEqual(handles, ['70_0', '70_1', '70_2', '70_3', '71_0', '71_1', '71_2', '71_3', '72_0', '72_1']);
  const arrays = slurm.calls('sbatch').map((words) => words.find((word) => word.startsWith('--array=')));
  assert.deepEqual(arrays, ['--array=0-3', '--array=0-3', '--array=0-1']);
});

test('jobs that are in the queue already are not handed over again, whoever did so', async () => {
  const first = await executorOf().submit(jobsOf(3));
  assert.deepEqual(await executorOf().submit(jobsOf(3)), first);
  assert.equal(slurm.calls('sbatch').length, 1);
  assert.deepEqual(await executorOf().submit(jobsOf(5)), [...first, '71_0', '71_1']);
  assert.equal(slurm.calls('sbatch').length, 2);
});

test('one that was put in the queue anew leaves the lines of its old array to the others', async () => {
  await executorOf().submit(jobsOf(2));
  slurm.change({ queue: slurm.state().queue.filter(({ task }) => task !== 0) });
  assert.deepEqual(await executorOf().submit(jobsOf(1)), ['71_0']);
  const listed = await executorOf().list(SWEEP);
  assert.deepEqual(Object.fromEntries(listed), { [`${SWEEP}.unit-0.1`]: '71_0', [`${SWEEP}.unit-1.1`]: '70_1' });
});

test('a list is of one sweep', async () => {
  await executorOf().submit(jobsOf(1));
  await executorOf({}, 'other').submit(jobsOf(2, 'other'));
  assert.deepEqual(Object.fromEntries(await executorOf().list(SWEEP)), { [`${SWEEP}.unit-0.1`]: '70_0' });
  assert.deepEqual(await executorOf().list('none'), new Map());
});

const STATES = {
  waiting: ['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_HOLD', 'SPECIAL_EXIT'],
  running: ['RUNNING', 'COMPLETING', 'SUSPENDED', 'STOPPED', 'SIGNALING', 'STAGE_OUT', 'RESIZING'],
};
for (const [state, words] of Object.entries(STATES)) {
  for (const word of words) {
    test(`${word} is ${state}`, async () => {
      const executor = executorOf();
      const [handle] = (await executor.submit(jobsOf(1))) as [string];
      const queue = slurm.state().queue.map((job) => ({ ...job, state: word }));
      slurm.change({ queue });
      assert.deepEqual(
        await executor.status([handle, '999_0']),
        new Map([
          [handle, state],
          ['999_0', 'gone'],
        ]),
      );
      assert.equal(slurm.calls('squeue').length, 2);
    });
  }
}

test('a user’s habits do not change what is asked', async () => {
  process.env.SQUEUE_STATES = 'RUNNING';
  try {
    await executorOf().status([]);
    assert.deepEqual(slurm.habits(), []);
    assert.match(slurm.calls('squeue')[0]!.join(' '), /--me .*--array --noheader/);
  } finally {
    delete process.env.SQUEUE_STATES;
  }
});

test('each reason to wait that is not an everyday one is said once', async () => {
  const executor = executorOf();
  await executor.submit(jobsOf(4));
  const reasons = ['Resources', 'ReqNodeNotAvail, UnavailableNodes:n[1-3]', 'ReqNodeNotAvail', 'JobHeldAdmin'];
  slurm.change({ queue: slurm.state().queue.map((job, i) => ({ ...job, reason: reasons[i]! })) });
  await executor.status([]);
  await executor.status([]);
  assert.equal(warnings.length, 2);
  assert.match(warnings[0]!, /70_1 wait: ReqNodeNotAvail, UnavailableNodes:n\[1-3\]/);
  assert.match(warnings[1]!, /70_3 wait: JobHeldAdmin/);
});

test('thousands are cancelled in commands that are not too long, and those that are gone are passed over', async () => {
  const executor = executorOf();
  slurm.change({ maxArraySize: 5000 });
  const handles = await executor.submit(jobsOf(2500));
  await executor.cancel(['9_9', ...handles.slice(1)]);
  assert.deepEqual(
    slurm.calls('scancel').map((words) => words.length),
    [1000, 1000, 500],
  );
  assert.deepEqual(
    slurm.state().queue.map(({ task }) => task),
    [0],
  );
  await executor.cancel([]);
  assert.equal(slurm.calls('scancel').length, 3);
});

test('the log is the end of what a job has printed', async () => {
  const executor = executorOf();
  const [job] = jobsOf(1) as [Job];
  assert.equal(await executor.logs('70_0', job), '');
  const log = join(slurm.folder, 'runs of 100%', 'slurm-70_0.log');
  await mkdir(join(slurm.folder, 'runs of 100%'));
  await writeFile(log, 'ein Grüß\n');
  assert.equal(await executor.logs('70_0', job), 'ein Grüß\n');
  const lines = Array.from({ length: 20_000 }, (_, i) => `ö${i}\n`).join('');
  await writeFile(log, lines);
  const end = await executor.logs('70_0', job);
  assert.ok(Buffer.byteLength(end) <= 65_536 && Buffer.byteLength(end) > 65_500);
  assert.match(end, /^ö\d+\n/);
  assert.ok(lines.endsWith(end));
});

test('waiting ends where it is told to', async () => {
  const controller = new AbortController();
  const waiting = executorOf().wait(controller.signal);
  controller.abort();
  await waiting;
});

test('a cluster that has what is asked for is well, and nothing is handed over', async () => {
  await executorOf({ gpus: 4, cpus: 64, memory: 500, partition: 'gpu' }).check();
  await executorOf({ gpus: 0 }).check();
  assert.deepEqual(slurm.state().queue, []);
  assert.ok(slurm.calls('sbatch').every((words) => words.includes('--test-only')));
});

const REFUSED: [keys: Record<string, unknown>, why: RegExp][] = [
  [
    { partition: 'gup' },
    /Expected one of this cluster’s partitions \(cpu, gpu\) for jobs\.partition but received "gup"/,
  ],
  [{}, /Expected a node with 1 GPUs, 4 cores for each job .* \(cpu: 0 GPUs, 16 cores, 62\.5 GiB\)/],
  [{ partition: 'gpu', gpus: 5 }, /Expected a node with 5 GPUs/],
  [{ partition: 'gpu', cpus: 65 }, /65 cores/],
  [{ partition: 'cpu,gpu', memory: 501 }, /501\.0 GiB/],
  [{ options: ['--clusters=b'] }, /jobs\.options but received "--clusters=b"/],
];
for (const [keys, why] of REFUSED) {
  test(`a cluster cannot give ${JSON.stringify(keys)}`, async () => {
    await assert.rejects(executorOf(keys).check(), (error) => error instanceof UserError && why.test(error.message));
  });
}

test('options of the user’s own about nodes are for sbatch to judge', async () => {
  await executorOf({ options: ['--gres=gpu:h100:1'] }).check();
  slurm.change({ fails: { sbatch: 'allocation failure: Invalid account or account/partition combination specified' } });
  await assert.rejects(
    executorOf({ gpus: 0, account: 'x' }).check(),
    (error) => error instanceof UserError && /Invalid account.*\nChange partition, account/.test(error.message),
  );
});

test('nodes that are drained for now are no reason not to begin', async () => {
  slurm.change({ fails: { sbatch: 'allocation failure: Requested node configuration is not available' } });
  await executorOf({ gpus: 0 }).check();
});

test('a controller that does not answer: nothing is begun, and nothing that is under way is given up', async () => {
  const silence = 'slurm_load_partitions: Unable to contact slurm controller (connect failure)';
  slurm.change({ fails: { sinfo: silence, squeue: silence, sbatch: silence } });
  await assert.rejects(
    executorOf().check(),
    (error) => error instanceof UserError && error.message.includes(`${silence}\nLook whether`),
  );
  const isPlain = (error: unknown) =>
    error instanceof Error && !(error instanceof UserError) && error.message.includes(silence);
  await assert.rejects(executorOf().status(['70_0']), isPlain);
  await assert.rejects(executorOf().submit(jobsOf(1)), isPlain);
  slurm.change({ fails: { sbatch: silence } });
  await assert.rejects(executorOf().submit(jobsOf(1)), isPlain);
});

test('a queue that takes fewer jobs may take them later, or fewer at once', async () => {
  const limit = 'Batch job submission failed: Job violates accounting/QOS policy (job submit limit)';
  slurm.change({ fails: { sbatch: limit } });
  const why = /QOS policy \(job submit limit\)\nWhere the queue takes fewer jobs, lower jobs\.at_once\./;
  await assert.rejects(
    executorOf().submit(jobsOf(2)),
    (error) => error instanceof Error && !(error instanceof UserError) && why.test(error.message),
  );
});

test('a comment that somebody changed is said, and states are known all the same', async () => {
  await executorOf().submit(jobsOf(1));
  slurm.change({ queue: slurm.state().queue.map((job) => ({ ...job, comment: '(null)' })) });
  await assert.rejects(executorOf().list(SWEEP), /Expected a file that lists jobs for .* but received "\(null\)"/);
  assert.deepEqual(await executorOf().status(['70_0']), new Map([['70_0', 'waiting']]));
});

test('what sbatch refuses is the user’s to change', async () => {
  slurm.change({ fails: { sbatch: 'sbatch: error: Batch job submission failed: Invalid qos specification' } });
  await assert.rejects(
    executorOf().submit(jobsOf(2)),
    (error) =>
      error instanceof UserError && /Expected sbatch to take 2 jobs but it failed:\n.*Invalid qos/.test(error.message),
  );
});

test('without Slurm: what to do next', async () => {
  process.env.PATH = slurm.folder;
  await assert.rejects(
    executorOf().check(),
    (error) => error instanceof UserError && /Expected Slurm’s sinfo .* login node/.test(error.message),
  );
});
