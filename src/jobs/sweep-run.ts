import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Settings } from '../config/settings.ts';
import { flattenConfig } from '../config/show-config.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { explainFailure } from '../tracking/explain-failure.ts';
import { NAME_TAG, openJournal } from '../tracking/journal.ts';
import { readRecord } from '../tracking/read-record.ts';
import { readRun } from '../tracking/runs.ts';
import { SWEEP_TAG } from '../tracking/sweep-of.ts';
import { resolveTracking } from '../tracking/tracking.ts';
import { readUpload, startUploader, syncRun, type UploadResult } from '../tracking/uploader.ts';
import { REQUEUE_TAG } from '../train/close-abandoned.ts';
import { sourceTags } from '../train/describe-run.ts';
import { endRun } from '../train/run-experiment.ts';
import { tryLockRun } from '../train/run-folder.ts';
import type { PlannedUnit, SweepPlan } from './sweep-plan.ts';
import { sweepFiles } from './sweep-plan.ts';
import { bestOf, tableOf } from './sweep-results.ts';
import type { SweepState } from './sweep-state.ts';

const UPLOADS_TIMEOUT_MS = 5 * 60_000;

/** The run that the runs of a sweep are children of: it trains nothing itself. */
export interface SweepRun {
  /** Ends the run of a unit that will not be gone on with, where it has begun and nobody trains in it. */
  closeUnit(unit: PlannedUnit, status: 'FAILED' | 'KILLED', tags: Record<string, string>): Promise<void>;
  /** The last word; RUNNING where somebody else is to drive it on. */
  end(status: 'FINISHED' | 'FAILED' | 'KILLED' | 'RUNNING', state: SweepState): Promise<UploadResult>;
}

/** Begins the sweep's own run, or takes it up. */
export async function openSweepRun(
  dir: string,
  plan: SweepPlan,
  settings: Settings,
  terminal: Terminal,
): Promise<SweepRun> {
  const journal = await openJournal(dir);
  const { run_id, name, experiment, trials, units, jobs, retries, halving } = plan;
  const params = flattenConfig({ jobs, retries, ...(halving === undefined ? {} : { halving }) } as never);
  const counts = { trials: String(trials.length), units: String(units.length) };
  const tags = { ...(await sourceTags(plan.file)), [SWEEP_TAG]: 'true' };
  journal.run({ run_id, name, experiment, params: { ...params, ...counts }, tags });
  journal.tags({ [REQUEUE_TAG]: 'false' });
  journal.artifact('sweep.json', 'sweep.json');
  const tracking = resolveTracking(settings, terminal);
  const uploader = startUploader({ runDir: dir, tracking }, terminal);
  // One after the other, and beside the driving: a server that hangs holds no unit up.
  let uploads = Promise.resolve();
  return {
    closeUnit: async (unit, status, unitTags) => {
      const runDir = join(settings.runsDir, unit.run_id);
      if (!(await closeRun(settings.runsDir, unit, status, unitTags, terminal))) return;
      const upload = async () => void (await syncRun(runDir, await tracking.ready, terminal));
      uploads = uploads.then(upload).catch((error: unknown) => {
        terminal.warn(`${unit.run_id} is not all in MLflow yet: ${explainFailure(error)}`);
      });
    },
    end: async (status, state) => {
      if (status !== 'RUNNING') {
        await writeFileAtomic(sweepFiles(dir).table, tableOf(plan, state, settings.runsDir));
        // An artifact is sent once: that of a later end, after units were begun again, has a name of its own.
        const end = state.ends === 1 ? '' : `end-${state.ends}/`;
        journal.artifact('sweep.csv', `${end}sweep.csv`);
        journal.artifact('events.jsonl', `${end}events.jsonl`);
        const best = bestOf(plan, settings.runsDir);
        if (best !== undefined) {
          journal.tags({
            [NAME_TAG]: `${name} · best Dice of ${units.length} runs ${best.dice.toFixed(4)}`,
            'sweep.best_run': best.run_id,
          });
        }
      }
      // What a server does not take in that time is sent by `npm run sync`.
      if (status !== 'RUNNING') await Promise.race([uploads, sleep(UPLOADS_TIMEOUT_MS, undefined, { ref: false })]);
      return await endRun(status, { journal, uploader, terminal });
    },
  };
}

/** Ends a run where it has not ended; whether there is anything of it to send. Nothing of one that somebody still trains. */
async function closeRun(
  runsDir: string,
  { run_id }: PlannedUnit,
  status: 'FAILED' | 'KILLED',
  tags: Record<string, string>,
  terminal: Terminal,
): Promise<boolean> {
  try {
    const run = readRun(runsDir, run_id);
    if (run === undefined) return false;
    const isClosed =
      run.status !== 'RUNNING' && Object.entries(tags).every(([key, tag]) => run.record.tags[key] === tag);
    if (isClosed) return readUpload(run.dir).pending > 0;
    const release = await tryLockRun(run.dir);
    if (release === undefined) return false;
    try {
      const journal = await openJournal(run.dir);
      journal.tags({ ...tags, [REQUEUE_TAG]: 'false' });
      if (readRecord(run.dir)?.status === 'RUNNING') journal.end(status);
      journal.close();
      return true;
    } finally {
      await release();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    terminal.warn(error.message);
    return false;
  }
}
