import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Experiment } from '../config/experiment.ts';
import { formatConfig } from '../config/show-config.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import { beat, describeLock, tryLock } from '../core/lock.ts';
import type { Dataset } from '../data/dataset.ts';
import { writingTo } from '../data/disk.ts';
import { checkValidationIds, writeValidationIds } from '../predict/validation-ids.ts';
import { JOURNAL_FILE, readJournal } from '../tracking/journal.ts';
import { dataTags, makeRunId } from './describe-run.ts';
import { type TrainedOn, writeTrainedOn } from './trained-on.ts';

/** A run's folder, which nobody else trains in until it is released. */
export interface RunFolder {
  runId: string;
  runDir: string;
  release(): Promise<void>;
}

/** Which images a run works with, by id. */
interface RunImages {
  validation: readonly string[];
  trainedOn: TrainedOn;
}

const LOCK = 'run.lock';

/** Of a run that is named by its id, and so may be asked for twice. */
export const UNIT_ATTEMPTS = 100;

/**
 * Makes the folder of a new run under `runsDir`, with its configuration and the images that it is about to see.
 * Throws UserError where it cannot be written, and where another process makes the run of that id.
 */
export async function makeRunFolder(
  experiment: Experiment,
  { runsDir, runId: wanted }: { runsDir: string; runId?: string | undefined },
  { validation, trainedOn }: RunImages,
): Promise<RunFolder> {
  return await writingTo(runsDir, async () => {
    const { runId, runDir } =
      wanted === undefined ? await makeRunDirectory(experiment.name, runsDir) : await directoryOf(wanted, runsDir);
    const release = await lockRun(runDir, wanted === undefined ? 1 : UNIT_ATTEMPTS);
    await writeFileAtomic(join(runDir, 'config.yml'), formatConfig(experiment));
    await writeValidationIds(runDir, validation);
    await writeTrainedOn(runDir, trainedOn);
    return { runId, runDir, release };
  });
}

/** Throws UserError where data or folds are not what a run began with. */
export async function checkSameData(
  { runId, runDir }: Pick<RunFolder, 'runId' | 'runDir'>,
  dataset: Dataset,
  validation: readonly string[],
): Promise<void> {
  await checkValidationIds(runDir, validation);
  const first = readJournal(join(runDir, JOURNAL_FILE))[0];
  const before = first?.type === 'run' ? first.tags : {};
  for (const [tag, now] of Object.entries(dataTags(dataset))) {
    if (before[tag] === now) continue;
    const next = 'Bring them back, or begin a new run from it: fork=true.';
    throw new UserError(expected(`the data that ${runId} began with (${before[tag]})`, tag, now, next));
  }
}

/** The folder of a run whose id is given: one that died before its journal began has left it there. */
async function directoryOf(runId: string, runsDir: string): Promise<{ runId: string; runDir: string }> {
  const runDir = join(runsDir, runId);
  await mkdir(runDir, { recursive: true });
  return { runId, runDir };
}

/** Makes an empty folder for a run that begins now; two of one name in one second get different ones. */
export async function makeRunDirectory(name: string, runsDir: string): Promise<{ runId: string; runDir: string }> {
  await writingTo(runsDir, () => mkdir(runsDir, { recursive: true }));
  const wanted = makeRunId(name, new Date());
  for (let attempt = 1; ; attempt++) {
    const runId = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    const runDir = join(runsDir, runId);
    const made = await mkdir(runDir).then(
      () => true,
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'EEXIST') return false;
        throw error;
      },
    );
    if (made) return { runId, runDir };
  }
}

/**
 * Keeps others from training in a run's folder until the function that it returns is called, or this process is gone.
 * Throws UserError where another one trains in it, or its folder cannot be written to.
 * @param attempts it is tried so often, ten times a second: somebody may only be ending the run (see closeAbandoned)
 */
export async function lockRun(runDir: string, attempts = 1): Promise<() => Promise<void>> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    if (attempt > 0) await sleep(100);
    const release = await tryLockRun(runDir);
    if (release !== undefined) return release;
  }
  const who = await describeLock(runLock(runDir));
  throw new UserError(expected('a run that nobody trains', runDir, who, 'Wait until it ends, or stop it.'));
}

/** The same; undefined where another one trains in it. */
export async function tryLockRun(runDir: string): Promise<(() => Promise<void>) | undefined> {
  const path = runLock(runDir);
  const locked = await writingTo(runDir, () => tryLock(path, { beats: true }));
  if (!locked) return undefined;
  const still = beat(path);
  // Where the disk refuses even that: a lock whose holder is gone holds nobody.
  return async () => {
    still();
    await rm(path, { force: true }).catch(() => {});
  };
}

/** The file that whoever trains in a run's folder holds. */
export function runLock(runDir: string): string {
  return join(runDir, LOCK);
}
