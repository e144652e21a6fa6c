import { readdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { type Experiment, parseExperiment } from '../config/experiment.ts';
import { flattenConfig } from '../config/show-config.ts';
import { expected, UserError } from '../core/errors.ts';
import { JOURNAL_FILE, readJournal } from '../tracking/journal.ts';
import { findRun, listRuns, type RunSummary } from '../tracking/runs.ts';
import { isSweep } from '../tracking/sweep-of.ts';
import { readUpload } from '../tracking/uploader.ts';
import type { ValidationMetrics } from './keep-checkpoints.ts';
import type { ResumedRun, RunResult } from './run-experiment.ts';

/** What the words `resume=` and `fork=` say. */
export interface ResumeWish {
  /** `last`, a run id or an MLflow run id. */
  resume: string;
  /** A new run goes on from where the other one stands, with a configuration that may be another. */
  fork: boolean;
}

/** Keys that may change in a run that is taken up: nothing that it computes depends on them. */
const SAFE = new Set(['checkpoint_every', 'keep_top_k', 'nan_tolerance', 'tensorboard']);

/**
 * The run that an experiment takes up: the one that is named, or the newest of the experiment's name; undefined where there is
 * none of it yet. Throws UserError where it was begun with another configuration, with the keys that differ.
 */
export async function findResumed(
  experiment: Experiment,
  { resume, fork }: ResumeWish,
  { runsDir, cwd }: { runsDir: string; cwd: string },
): Promise<(ResumedRun & { finished: boolean }) | undefined> {
  const run = resume === 'last' ? await newestOf(experiment.name, runsDir) : await findRun(runsDir, resume);
  if (run === undefined) return undefined;
  if (!fork) await refuseOther(experiment, run, cwd);
  return { runId: run.run_id, runDir: run.dir, fork, finished: run.status === 'FINISHED' };
}

/** The newest run of a name; undefined where a newer one was stopped before it had begun: there is nothing to take up of it. */
async function newestOf(name: string, runsDir: string): Promise<RunSummary | undefined> {
  const newest = (await listRuns(runsDir)).filter((run) => run.name === name).at(-1);
  const folders = await readdir(runsDir).catch(() => []);
  const newer = folders.filter((folder) => isOf(folder, name) && folder > (newest?.run_id ?? ''));
  return newer.length === 0 ? newest : undefined;
}

/** Whether a run's folder is named for an experiment of this name (see makeRunId). */
function isOf(folder: string, name: string): boolean {
  return folder.slice('20190901-101500-'.length).replace(/-\d+$/, '') === name.replace(/-\d+$/, '');
}

/** Throws UserError, with the keys that differ, where a run was begun with another configuration. */
export async function refuseOther(experiment: Experiment, run: RunSummary, cwd: string): Promise<void> {
  if (isSweep(run.record)) {
    const next = `It is a sweep: npm run jobs ${run.run_id} resume=true.`;
    throw new UserError(expected('a run that trains', 'resume', run.run_id, next));
  }
  const before = flattenConfig(await parseExperiment(run.config, {}, cwd));
  const now = flattenConfig(experiment);
  const keys = [...new Set([...Object.keys(before), ...Object.keys(now)])];
  const differing = keys.filter((key) => before[key] !== now[key] && !SAFE.has(key));
  if (differing.length === 0) return;
  const shown = differing.map((key) => `\n  ${key}: ${before[key] ?? 'none'}, now ${now[key] ?? 'none'}`).join('');
  throw new UserError(
    `Expected the configuration that ${run.run_id} began with for resume but ${differing.length} keys differ:${shown}\n` +
      `As it was: npm run exp ${relative(cwd, run.config)} resume=${run.run_id}\n` +
      'As a new run that goes on from it: the same command with fork=true.',
  );
}

/** What a finished run had come to, from its own record. */
export function resultOf({ runId, runDir }: Pick<ResumedRun, 'runId' | 'runDir'>): RunResult {
  const entries = readJournal(join(runDir, JOURNAL_FILE));
  const tags = Object.assign({}, ...entries.map((entry) => (entry.type === 'tags' ? entry.tags : {})));
  const points = entries.filter((entry) => entry.type === 'metrics').filter(({ values }) => 'val/dice' in values);
  // JSON has no NaN: a Dice on positives without any stands there as text.
  const figures = Object.entries(points.at(-1)?.values ?? {}).map(([key, value]) => [key, Number(value)]);
  const metrics = Object.fromEntries(figures) as ValidationMetrics;
  const chosen = { id: tags['checkpoint.id'], sha256: tags['checkpoint.sha256'], metrics, names: [] };
  const { mlflow_run_id, tracking_uri } = readUpload(runDir);
  return { run_id: runId, run_dir: runDir, status: 'FINISHED', chosen, mlflow_run_id, tracking_uri };
}
