import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { readSettings } from '../../src/config/settings.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { readRun } from '../../src/tracking/runs.ts';
import { ensureServer, stopServer } from '../../src/tracking/server.ts';
import { assertInMlflow, figuresOf, makeSweepFolder, processesOf, type SweepFolder } from './sweep-of-six.ts';

let servers: string;
let place: SweepFolder;
let uri: string;
before(async () => {
  servers = await mkdtemp(join(tmpdir(), 'sweep-mlflow-'));
  const { cacheDir } = await readSettings();
  uri = await ensureServer({ cacheDir, runsDir: servers }, silentTerminal);
  place = await makeSweepFolder({ MLFLOW_TRACKING_URI: uri });
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

test('six units with everything killed in mid-run come to what they do undisturbed, once', async () => {
  const undisturbed = await place.command(['sweep', 'six-sweep.yml', 'jobs.at_once=2']);
  assert.equal(undisturbed.code, 0, undisturbed.stderr);
  assert.equal(undisturbed.json.status, 'FINISHED');
  const figures = figuresOf(place, undisturbed.json.run_id);
  assert.equal(Object.keys(figures).length, 6);
  await assertInMlflow(place, undisturbed.json.run_id, uri);

  // The submitting command, as soon as units are with the engine.
  let sweep = '';
  const submitted = await place.command(['sweep', 'six-sweep.yml', 'jobs.at_once=2'], (said, child) => {
    sweep = /sweep (\S+): /.exec(said)?.[1] ?? '';
    if (/t01-s2: attempt 1/.test(said)) child.kill('SIGKILL');
  });
  assert.equal(submitted.code, null);

  // A worker: both of its processes, as when memory runs out.
  await until('t01-s1 trains', () => isUnderWay(sweep, 't01-s1'));
  kill('src/run-unit.ts', `/${sweep}/attempts/t01-s1.1.json`);
  await until('t01-s1 is begun again', () =>
    place.events(sweep).some((event) => event.type === 'handed' && event.unit === 't01-s1' && event.attempt === 2),
  );

  // Whoever drives it, while units run.
  await until('t02-s1 trains', () => isUnderWay(sweep, 't02-s1'));
  kill('src/jobs/drive.ts', sweep);
  const left = await place.command(['jobs', sweep]);
  assert.equal(left.json.status, 'LEFT');

  const again = await place.command(['jobs', sweep, 'resume=true', 'follow=true']);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.json.status, 'FINISHED');
  assert.deepEqual(figuresOf(place, sweep), figures);
  await assertInMlflow(place, sweep, uri);
  const handed = place
    .events(sweep)
    .flatMap((event) => (event.type === 'handed' ? [`${event.unit}.${event.attempt}`] : []));
  assert.equal(new Set(handed).size, handed.length, 'no attempt is handed over twice');
  assert.equal(handed.length, 7, 'six units, one of them twice');
});
