import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../config/experiment.ts';
import { expected, UserError } from '../core/errors.ts';
import { describeLock, isLocked } from '../core/lock.ts';
import type { Terminal } from '../core/terminal.ts';
import { readRun } from '../tracking/runs.ts';
import { findResumed, type ResumeWish } from '../train/resume.ts';
import { runLock } from '../train/run-folder.ts';
import { readWhole } from './values.ts';

/** What `run`, `sweep` and `until_epoch` say: which run it is, whose child, and how far it goes this time. */
export interface Unit {
  runId?: string | undefined;
  parentRun?: string | undefined;
  untilEpoch?: number | undefined;
}

/** Whoever trains in a run is asked so often whether he still does. */
const ASK_EVERY_MS = 500;

/** Reads what makes a run a unit of a queue's work. Throws UserError where it does not go with the other words. */
export function readUnit(
  {
    run,
    sweep,
    until_epoch,
  }: { run?: string | undefined; sweep?: string | undefined; until_epoch?: string | undefined },
  { alone, wish }: { alone: boolean; wish: ResumeWish | undefined },
): Unit {
  if (run !== undefined && !alone) throw new UserError(expected('one file and one fold with run', 'run', run));
  if (run !== undefined && wish !== undefined) {
    const next = 'It goes on where it stands by itself.';
    throw new UserError(expected('neither resume nor fork with run', 'resume', wish.resume, next));
  }
  if (sweep !== undefined && run === undefined) throw new UserError(expected('run=<id> with sweep', 'run', 'none'));
  for (const [key, id] of Object.entries({ run, sweep })) {
    if (id === undefined || /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/.test(id)) continue;
    throw new UserError(expected('a run id: up to 200 letters, digits and . _ -', key, id));
  }
  const untilEpoch = until_epoch === undefined ? undefined : readWhole('until_epoch', until_epoch);
  return { runId: run, parentRun: sweep, untilEpoch };
}

/**
 * The run of that id where it has begun, to be gone on with; undefined where it begins now. Waits while another process trains in
 * it: one that was told to stop may still be saving, on another machine too.
 * Throws UserError where it was begun with another configuration.
 */
export async function takeUnit(
  experiment: Experiment,
  { runId }: Unit,
  { runsDir, cwd, signal }: { runsDir: string; cwd: string; signal: AbortSignal },
  terminal: Terminal,
): ReturnType<typeof findResumed> {
  if (runId === undefined) return undefined;
  const lock = runLock(join(runsDir, runId));
  if (await isLocked(lock)) terminal.say(`waits for ${await describeLock(lock)}`);
  while (await isLocked(lock)) await sleep(ASK_EVERY_MS, undefined, { signal });
  if (readRun(runsDir, runId) === undefined) return undefined;
  return await findResumed(experiment, { resume: runId, fork: false }, { runsDir, cwd });
}
