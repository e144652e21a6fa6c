import { join } from 'node:path';
import type { Experiment } from '../config/experiment.ts';
import type { Settings } from '../config/settings.ts';
import { flattenConfig, formatConfig } from '../config/show-config.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { UserError } from '../core/errors.ts';
import { foldsOf, foldTag } from '../tracking/folds-of.ts';
import type { Journal } from '../tracking/journal.ts';
import { openJournal } from '../tracking/journal.ts';
import { listRuns, type RunSummary } from '../tracking/runs.ts';
import { REQUEUE_TAG } from '../train/close-abandoned.ts';
import { sourceTags } from '../train/describe-run.ts';
import { refuseOther } from '../train/resume.ts';
import { lockRun, makeRunDirectory } from '../train/run-folder.ts';

/** The run that the runs of all folds are children of: it trains nothing itself. */
export interface FoldsRun {
  runId: string;
  runDir: string;
  journal: Journal;
  /** The run of each fold that was begun. */
  children: Map<number, string>;
  /** Says which run a fold's is. */
  adopt(fold: number, runId: string): void;
  release(): Promise<void>;
}

const NAME_SUFFIX = '-folds';

/** Begins the run of all folds of an experiment, or takes up the newest one of its name where that is asked for. */
export async function openFoldsRun(
  experiment: Experiment,
  { settings, cwd, file, takeUp }: { settings: Settings; cwd: string; file: string; takeUp: boolean },
): Promise<FoldsRun> {
  const name = `${experiment.name}${NAME_SUFFIX}`;
  const known = takeUp ? (await listRuns(settings.runsDir)).filter((run) => run.name === name).at(-1) : undefined;
  if (known !== undefined) await refuseOther(experiment, known, cwd);
  const { runId, runDir } =
    known === undefined ? await makeRunDirectory(name, settings.runsDir) : { runId: known.run_id, runDir: known.dir };
  const release = await lockRun(runDir);
  if (known === undefined) await writeFileAtomic(join(runDir, 'config.yml'), formatConfig(experiment));
  const journal = await openJournal(runDir);
  const params = { ...flattenConfig(experiment), 'data.fold': 'all' };
  journal.run({
    run_id: runId,
    name,
    experiment: experiment.mlflow_experiment,
    params,
    tags: { ...(await sourceTags(file)), 'data.fold': 'all' },
  });
  if (known !== undefined) journal.tags({ [REQUEUE_TAG]: 'false' });
  const children = known === undefined ? new Map<number, string>() : foldsOf(known.record);
  return {
    runId,
    runDir,
    journal,
    children,
    adopt: (fold, child) => {
      children.set(fold, child);
      journal.tags({ [foldTag(fold)]: child });
    },
    release,
  };
}

/** Throws UserError where no run of all folds has that name. */
export async function findFoldsRun(experiment: Experiment, runsDir: string): Promise<RunSummary> {
  const name = `${experiment.name}${NAME_SUFFIX}`;
  const found = (await listRuns(runsDir)).filter((run) => run.name === name).at(-1);
  if (found !== undefined) return found;
  throw new UserError(
    `Expected a run of all folds of ${experiment.name} for retry=failed but there is none: begin it without.`,
  );
}
