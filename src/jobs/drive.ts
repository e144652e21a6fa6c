import { basename, dirname } from 'node:path';
import { readSettings, type Settings } from '../config/settings.ts';
import { Stopped } from '../core/errors.ts';
import { openTerminal } from '../core/terminal.ts';
import { lockRun } from '../train/run-folder.ts';
import { driveSweep } from './drive-sweep.ts';
import { createExecutor } from './executors.ts';
import { readState } from './follow-sweep.ts';
import { listRequests } from './requests.ts';
import { openEvents } from './sweep-events.ts';
import { readEnvironment, readPlan, sweepFiles } from './sweep-plan.ts';
import { openSweepRun } from './sweep-run.ts';
import { takeEvent } from './sweep-state.ts';
import { indexUnits, type Sweeping } from './sweeping.ts';

/** The process behind a sweep, which goes on when the one that began it is gone: the one writer of its events. */
async function drive(dir: string): Promise<void> {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT', 'SIGUSR1'] as const) {
    process.on(name, () => stop.abort(new Stopped(`Stopped by ${name}.`)));
  }
  const plan = await readPlan(dir);
  Object.assign(process.env, await readEnvironment(dir));
  const runsDir = dirname(dir);
  const settings = { ...(await readSettings(plan.cwd)), runsDir };
  const terminal = openTerminal(process.stdout);
  const release = await lockRun(dir);
  const executor = await createExecutor(plan.jobs, { sweep: basename(dir), terminal });
  const state = readState(dir, plan);
  const log = openEvents(sweepFiles(dir).events, (event) => takeEvent(state, event));
  const isThere = { dir, runsDir, plan, state, log, executor, terminal };
  try {
    // What is asked for while the last lines are sent has nobody else to hear it.
    do await driveOnce(isThere, settings, stop.signal);
    while (!stop.signal.aborted && (await listRequests(dir)).length > 0);
  } finally {
    log.close();
    await release();
  }
}

async function driveOnce(
  parts: Pick<Sweeping, 'dir' | 'runsDir' | 'plan' | 'state' | 'log' | 'executor' | 'terminal'>,
  settings: Settings,
  signal: AbortSignal,
): Promise<void> {
  const { dir, plan, state, log, terminal } = parts;
  const lists = indexUnits(plan, state);
  // Asked by a machine that has no such engine, units would be refused one after the other.
  if (lists.open.size > 0 || (await listRequests(dir)).length > 0) await parts.executor.check();
  const run = await openSweepRun(dir, plan, settings, terminal);
  try {
    const status = await driveSweep({ ...parts, ...lists, closeRun: run.closeUnit }, signal);
    log.append({ type: 'over', status });
    await run.end(status, state);
  } catch (error) {
    await run.end('RUNNING', state);
    if (!signal.aborted) throw error;
  }
}

await drive(process.argv[2]!);
process.exit(0);
