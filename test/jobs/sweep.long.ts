import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { readSettings } from '../../src/config/settings.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { connectRay } from '../../src/jobs/ray/ray-http.ts';
import { readRun } from '../../src/tracking/runs.ts';
import { ensureServer, stopServer } from '../../src/tracking/server.ts';
import { startRay } from './ray-cluster.ts';
import { startSlurm } from './slurm-cluster.ts';
import { assertInMlflow, figuresOf, makeSweepFolder, processesOf, type SweepFolder } from './sweep-of-six.ts';

let servers: string;
let place: SweepFolder;
let uri: string;
/** What the six units come to undisturbed, on this machine. */
let figures: ReturnType<typeof figuresOf>;
before(async () => {
  servers = await mkdtemp(join(tmpdir(), 'sweep-mlflow-'));
  const { cacheDir } = await readSettings();
  uri = await ensureServer({ cacheDir, runsDir: servers }, silentTerminal);
  place = await makeSweepFolder({ MLFLOW_TRACKING_URI: uri });
  const undisturbed = await place.command(['sweep', 'six-sweep.yml', 'jobs.at_once=2']);
  assert.equal(undisturbed.code, 0, undisturbed.stderr);
  assert.equal(undisturbed.json.status, 'FINISHED');
  figures = figuresOf(place, undisturbed.json.run_id);
  assert.equal(Object.keys(figures).length, 6);
  await assertInMlflow(place, undisturbed.json.run_id, uri);
});
after(async () => {
  await stopServer(servers);
  await rm(servers, { recursive: true });
  await place.remove();
});

/** Waits until something is so, for at most some minutes. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  for (let asked = 0; !isSo(); asked++) {
    assert.ok(asked < 3000, `never: ${what}`);
    await sleep(100);
  }
}

/** Whether the run of a unit has trained an update, and is not at its end. */
function isUnderWay(sweep: string, unit: string): boolean {
  const id = `${sweep}-${unit}`;
  const checkpoints = join(place.runsDir, id, 'checkpoints');
  try {
    return (
      readRun(place.runsDir, id)?.status === 'RUNNING' && readdirSync(checkpoints).some((name) => !name.startsWith('.'))
    );
  } catch {
    return false;
  }
}

/** Kills the processes that have these words on their command line, which are there. */
function kill(...words: string[]): void {
  const found = processesOf(...words);
  assert.ok(found.length > 0, `there is no process ${words.join(' ')}`);
  for (const pid of found) process.kill(pid, 'SIGKILL');
}

/** Waits until an event of a sweep says that a unit's attempt was handed over. */
async function untilHanded(sweep: string, unit: string, attempt: number): Promise<string> {
  let handle: string | undefined;
  await until(`attempt ${attempt} of ${unit} is with the engine`, () => {
    for (const event of place.events(sweep)) {
      if (event.type === 'handed' && event.unit === unit && event.attempt === attempt) handle = event.handle;
    }
    return handle !== undefined;
  });
  return handle!;
}

/** Begins the sweep and kills the command that does, as soon as units are with the engine. */
async function beginAndKill(words: string[]): Promise<string> {
  let sweep = '';
  const submitted = await place.command(['sweep', 'six-sweep.yml', ...words], (said, child) => {
    sweep = /sweep (\S+): /.exec(said)?.[1] ?? '';
    if (/t01-s2: attempt 1/.test(said)) child.kill('SIGKILL');
  });
  assert.equal(submitted.code, null, submitted.stderr);
  return sweep;
}

/** The sweep comes to its end, with what it comes to undisturbed, once. */
async function assertUndisturbed(sweep: string, attempts: number): Promise<void> {
  const end = await place.command(['jobs', sweep, 'follow=true']);
  assert.equal(end.code, 0, end.stderr);
  assert.equal(end.json.status, 'FINISHED');
  assert.deepEqual(figuresOf(place, sweep), figures);
  await assertInMlflow(place, sweep, uri);
  const handed = place
    .events(sweep)
    .flatMap((event) => (event.type === 'handed' ? [`${event.unit}.${event.attempt}`] : []));
  assert.equal(new Set(handed).size, handed.length, 'no attempt is handed over twice');
  assert.equal(handed.length, attempts);
}

test('on this machine, with the submitting command, a worker and the driver killed in mid-run', async () => {
  const sweep = await beginAndKill(['jobs.at_once=2']);
  // A worker: both of its processes, as when memory runs out.
  await until('t01-s1 trains', () => isUnderWay(sweep, 't01-s1'));
  kill('src/run-unit.ts', `/${sweep}/attempts/t01-s1.1.json`);
  await untilHanded(sweep, 't01-s1', 2);
  await until('t02-s1 trains', () => isUnderWay(sweep, 't02-s1'));
  kill('src/jobs/drive.ts', sweep);
  const left = await place.command(['jobs', sweep]);
  assert.equal(left.json.status, 'LEFT');
  await place.command(['jobs', sweep, 'resume=true']);
  await assertUndisturbed(sweep, 7);
});

test('on Slurm, with the submitting command, two tasks and the driver killed in mid-run', async (t) => {
  const slurm = await startSlurm();
  if (typeof slurm === 'string') return t.skip(`NOT SHOWN: ${slurm}`);
  Object.assign(process.env, slurm.environment);
  try {
    const sweep = await beginAndKill(['jobs.executor=slurm', 'jobs.at_once=2', 'jobs.gpus=0', 'jobs.cpus=1']);
    await until('t01-s1 trains', () => isUnderWay(sweep, 't01-s1'));
    kill('src/run-unit.ts', `/${sweep}/attempts/t01-s1.1.json`);
    await untilHanded(sweep, 't01-s1', 2);
    const second = await untilHanded(sweep, 't02-s1', 1);
    await until('t02-s1 trains', () => isUnderWay(sweep, 't02-s1'));
    await execa('scancel', [second]);
    await untilHanded(sweep, 't02-s1', 2);
    kill('src/jobs/drive.ts', sweep);
    await place.command(['jobs', sweep, 'resume=true']);
    await assertUndisturbed(sweep, 8);
  } finally {
    await slurm.stop();
  }
});

test('on Ray, with the submitting command, two jobs and the driver killed in mid-run', async (t) => {
  const ray = await startRay();
  if (typeof ray === 'string') return t.skip(`NOT SHOWN: ${ray}`);
  try {
    const engine = ['jobs.executor=ray', `jobs.address=${ray.address}`, 'jobs.gpus=0', 'jobs.cpus=1'];
    const sweep = await beginAndKill([...engine, 'jobs.at_once=2']);
    await until('t01-s1 trains', () => isUnderWay(sweep, 't01-s1'));
    kill('src/run-unit.ts', `/${sweep}/attempts/t01-s1.1.json`);
    await untilHanded(sweep, 't01-s1', 2);
    const second = await untilHanded(sweep, 't02-s1', 1);
    await until('t02-s1 trains', () => isUnderWay(sweep, 't02-s1'));
    // As somebody else may by Ray's own page: the job is told to stop, and saves.
    const stopped = await connectRay(ray.address).ask('POST', `/api/jobs/${second}/stop`);
    assert.equal(stopped.status, 200);
    await untilHanded(sweep, 't02-s1', 2);
    kill('src/jobs/drive.ts', sweep);
    await place.command(['jobs', sweep, 'resume=true']);
    await assertUndisturbed(sweep, 8);
  } finally {
    await ray.stop();
  }
});
