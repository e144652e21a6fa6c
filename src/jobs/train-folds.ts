import { appendFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Experiment } from '../config/experiment.ts';
import type { Settings } from '../config/settings.ts';
import { configTable } from '../config/show-config.ts';
import { isRequeue, messageOf } from '../core/errors.ts';
import { labelled, type Terminal } from '../core/terminal.ts';
import { NAME_TAG } from '../tracking/journal.ts';
import { listRuns } from '../tracking/runs.ts';
import { resolveTracking } from '../tracking/tracking.ts';
import { startUploader } from '../tracking/uploader.ts';
import { findResumed, resultOf } from '../train/resume.ts';
import { endRun, type ResumedRun, type RunResult } from '../train/run-experiment.ts';
import { superviseRun } from '../train/supervise-run.ts';
import { crossValidation } from './cross-validation.ts';
import { experimentOfFold } from './fold-experiments.ts';
import { type FoldsRun, openFoldsRun } from './folds-run.ts';

/** What surrounds the training of all folds of an experiment. */
export interface FoldsContext {
  file: string;
  cwd: string;
  settings: Settings;
  signal: AbortSignal;
  folds: readonly number[];
  /** Go on with what is not finished of the newest time, or with what failed of it. */
  takeUp: 'unfinished' | 'failed' | undefined;
  /** Of earlier files of the same command: the runs of their folds, by name. */
  earlier: ReadonlyMap<string, string>;
  /** Names of those experiments. */
  before: readonly string[];
  /** What each process that trains at the same time sees of the machine; as many as there are of it. */
  places: readonly Record<string, string>[];
}

/** A fold's run that is not trained now. */
interface FoldLeft {
  run_id: string;
  run_dir: string;
  status: RunResult['status'] | 'FAILED';
}

/** How a fold ended. */
export interface FoldOutcome extends Omit<Partial<RunResult>, 'status'> {
  fold: number;
  status: RunResult['status'] | 'FAILED';
  /** Why it failed. */
  error?: string;
}

export interface FoldsResult {
  run_id: string;
  run_dir: string;
  status: FoldOutcome['status'];
  folds: FoldOutcome[];
  /** `cv/*`; empty unless every fold has finished. */
  metrics: Record<string, number>;
  mlflow_run_id: string | undefined;
  tracking_uri: string | undefined;
}

/**
 * Trains every fold of an experiment, each in processes of its own and with its own log, as children of one run. A fold that
 * fails ends no other; at the end the run is FAILED then, and has the figures of cross-validation otherwise.
 * Throws UserError where the run cannot be taken up.
 */
export async function trainFolds(
  experiment: Experiment,
  context: FoldsContext,
  terminal: Terminal,
): Promise<FoldsResult> {
  const { settings, folds, takeUp, signal, places } = context;
  const run = await openFoldsRun(experiment, { ...context, takeUp: takeUp !== undefined });
  terminal.say(`run ${run.runId} of folds ${folds.join(', ')}:\n${configTable(experiment)}`);
  const uploader = startUploader({ runDir: run.runDir, tracking: resolveTracking(settings, terminal) }, terminal);
  const waiting = [...folds];
  const outcomes: FoldOutcome[] = [];
  const work = async (environment: Record<string, string>) => {
    for (let fold = waiting.shift(); fold !== undefined && !signal.aborted; fold = waiting.shift()) {
      outcomes.push(await trainFold(experiment, fold, { ...context, run, environment }, terminal));
    }
  };
  try {
    await Promise.all(places.map(work));
  } catch (error) {
    terminal.warn(`folds could not be gone on with: ${messageOf(error)}`);
  }
  outcomes.sort((a, b) => a.fold - b.fold);
  let status = statusOf(outcomes, folds, signal);
  let metrics: Record<string, number> = {};
  try {
    if (status === 'FINISHED') metrics = await crossValidation(outcomes);
  } catch (error) {
    status = 'FAILED';
    terminal.warn(messageOf(error));
  }
  const { 'cv/dice_mean': mean, 'cv/dice_std': std } = metrics;
  if (mean !== undefined) {
    const figures = `${mean.toFixed(4)} ± ${std!.toFixed(4)}`;
    run.journal.tags({ [NAME_TAG]: `${experiment.name} · Dice of ${folds.length} folds ${figures}` });
  }
  // Like a run's own last figures: behind its last epoch.
  run.journal.metrics(metrics, experiment.epochs + 1);
  const uploaded = await endRun(status, { journal: run.journal, uploader, terminal });
  await run.release();
  const { mlflow_run_id, tracking_uri } = uploaded;
  return { run_id: run.runId, run_dir: run.runDir, status, folds: outcomes, metrics, mlflow_run_id, tracking_uri };
}

async function trainFold(
  experiment: Experiment,
  fold: number,
  context: FoldsContext & { run: FoldsRun; environment: Record<string, string> },
  terminal: Terminal,
): Promise<FoldOutcome> {
  const { run, settings, signal, cwd, file, earlier, environment } = context;
  const log = join(run.runDir, `fold-${fold}.log`);
  const own = labelled(terminal, `fold ${fold} |`, writerOf(log, terminal));
  const tell = ({ runDir }: { runDir?: string }) => {
    try {
      if (runDir !== undefined) run.adopt(fold, basename(runDir));
    } catch (error) {
      own.warn(`its run could not be noted: ${messageOf(error)}`);
    }
  };
  try {
    const ofFold = await experimentOfFold(experiment, fold, { before: context.before, runsDir: settings.runsDir });
    const known = await knownFold(ofFold, run.children.get(fold), context);
    if (known !== undefined && 'left' in known) {
      own.say(`${known.left.run_id} is ${known.left.status}: left as it is`);
      return known.left.status === 'FINISHED'
        ? { fold, ...resultOf({ runId: known.left.run_id, runDir: known.left.run_dir }) }
        : { fold, ...known.left };
    }
    const resume = known?.resume;
    const surrounding = { file, cwd, settings, signal, earlier, resume, parentRun: run.runId, environment, tell };
    return { fold, ...(await superviseRun(ofFold, surrounding, own)) };
  } catch (error) {
    if (signal.aborted) return { fold, status: isRequeue(signal.reason) ? 'RUNNING' : 'KILLED' };
    own.warn(`it failed: ${messageOf(error)}`);
    const child = run.children.get(fold);
    return { fold, status: 'FAILED', error: messageOf(error), ...(child === undefined ? {} : { run_id: child }) };
  }
}

/** Appends lines to a log; a disk that refuses one is said once, and ends the log alone. */
function writerOf(log: string, terminal: Terminal): (line: string) => void {
  let refused = false;
  return (line) => {
    if (refused) return;
    try {
      appendFileSync(log, `${line}\n`);
    } catch (error) {
      refused = true;
      terminal.warn(`${basename(log)} is not written on: ${messageOf(error)}`);
    }
  };
}

/** The run that a fold has already, to be left as it is or gone on with; undefined where it begins anew. */
async function knownFold(
  experiment: Experiment,
  child: string | undefined,
  { takeUp, settings: { runsDir }, cwd }: FoldsContext,
): Promise<{ left: FoldLeft } | { resume: ResumedRun } | undefined> {
  const run = (await listRuns(runsDir)).find(({ run_id }) => run_id === child);
  if (takeUp === undefined || run === undefined) return undefined;
  const { run_id, dir: run_dir, status } = run;
  if (status === 'FINISHED' || (takeUp === 'failed' && status !== 'FAILED'))
    return { left: { run_id, run_dir, status } };
  const resume = await findResumed(experiment, { resume: run_id, fork: false }, { runsDir, cwd });
  return resume && { resume };
}

function statusOf(
  outcomes: readonly FoldOutcome[],
  folds: readonly number[],
  signal: AbortSignal,
): FoldOutcome['status'] {
  const has = (status: FoldOutcome['status']) => outcomes.some((outcome) => outcome.status === status);
  if (signal.aborted) return isRequeue(signal.reason) ? 'RUNNING' : 'KILLED';
  if (has('FAILED')) return 'FAILED';
  return outcomes.filter(({ status }) => status === 'FINISHED').length === folds.length ? 'FINISHED' : 'KILLED';
}
