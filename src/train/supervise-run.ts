import { basename } from 'node:path';
import type { Experiment } from '../config/experiment.ts';
import { askChild, ChildDied } from '../core/child.ts';
import type { Terminal } from '../core/terminal.ts';
import { readCheckpointIndex } from '../models/checkpoint.ts';
import { openJournal } from '../tracking/journal.ts';
import { resolveTracking } from '../tracking/tracking.ts';
import { startUploader } from '../tracking/uploader.ts';
import { explainDeath } from './out-of-memory.ts';
import { endRun, type RunContext, type RunNews, type RunResult } from './run-experiment.ts';

/** What the process that trains is asked. */
export interface RunQuestion {
  experiment: Experiment;
  context: Omit<RunContext, 'signal' | 'tell'>;
}

/**
 * Runs an experiment (see runExperiment) in a process of its own. Where memory runs out Linux kills a process, and some
 * of TensorFlow's kernels crash: this one is still there to end the run as FAILED and to say what to change.
 */
export async function superviseRun(
  experiment: Experiment,
  { signal, tell, environment = {}, ...context }: RunContext & { environment?: Record<string, string> },
  terminal: Terminal,
): Promise<RunResult> {
  const question: RunQuestion = { experiment, context };
  let known: RunNews = {};
  const onNews = (news: RunNews) => {
    known = { ...known, ...news };
    tell?.(news);
  };
  try {
    return await askChild(new URL('./run-child.ts', import.meta.url), question, {
      signal,
      terminal,
      environment,
      onNews,
    });
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    const { runDir, need } = known;
    if (runDir === undefined) throw explainDeath(error, experiment, need);
    await endDeadRun(runDir, context, terminal);
    const { last } = await readCheckpointIndex(runDir);
    throw explainDeath(error, experiment, need, last === undefined ? undefined : basename(runDir));
  }
}

/** The last word of a run whose process could not say it. */
async function endDeadRun(runDir: string, { settings }: Pick<RunContext, 'settings'>, terminal: Terminal) {
  const journal = await openJournal(runDir);
  const uploader = startUploader({ runDir, tracking: resolveTracking(settings, terminal) }, terminal);
  await endRun('FAILED', { journal, uploader, terminal });
}
