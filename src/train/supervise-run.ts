import { basename } from 'node:path';
import type { Experiment } from '../config/experiment.ts';
import { askChild, ChildDied } from '../core/child.ts';
import type { Terminal } from '../core/terminal.ts';
import { readCheckpointIndex } from '../models/checkpoint.ts';
import { openJournal } from '../tracking/journal.ts';
import { resolveTracking } from '../tracking/tracking.ts';
import { startUploader } from '../tracking/uploader.ts';
import { goOnFrom, OutOfMemoryError, outOfMemorySentence } from './out-of-memory.ts';
import { endRun, type RunContext, type RunNews, type RunResult } from './run-experiment.ts';

/** What the process that trains is asked. */
export interface RunQuestion {
  experiment: Experiment;
  context: Omit<RunContext, 'signal' | 'tell'>;
}

/** From this share of the available memory on, a crash is taken for what it mostly is: an allocation that failed. */
const SUSPECT_SHARE = 0.6;

/**
 * Runs an experiment (see runExperiment) in a process of its own. Where memory runs out Linux kills a process, and some
 * of TensorFlow's kernels crash: this one is still there to end the run as FAILED and to say what to change.
 */
export async function superviseRun(
  experiment: Experiment,
  { signal, ...context }: Omit<RunContext, 'tell'>,
  terminal: Terminal,
): Promise<RunResult> {
  const question: RunQuestion = { experiment, context };
  let known: RunNews = {};
  const onNews = (news: RunNews) => {
    known = { ...known, ...news };
  };
  try {
    return await askChild(new URL('./run-child.ts', import.meta.url), question, { signal, terminal, onNews });
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    if (known.runDir !== undefined) await endDeadRun(known.runDir, context, terminal);
    throw await explainDeath(error, experiment, known);
  }
}

/** The last word of a run whose process could not say it. */
async function endDeadRun(runDir: string, { settings }: Pick<RunContext, 'settings'>, terminal: Terminal) {
  const journal = await openJournal(runDir);
  const uploader = startUploader({ runDir, tracking: resolveTracking(settings, terminal) }, terminal);
  await endRun('FAILED', { journal, uploader, terminal });
}

async function explainDeath({ how }: ChildDied, experiment: Experiment, { runDir, need }: RunNews): Promise<Error> {
  const last = runDir === undefined ? undefined : (await readCheckpointIndex(runDir)).last;
  const next = last === undefined ? '' : ` ${goOnFrom(basename(runDir!))}`;
  const short = (need?.estimated ?? 0) > SUSPECT_SHARE * (need?.memory?.available ?? Number.POSITIVE_INFINITY);
  if (how !== 'SIGKILL' && !short) return new Error(`The process that trained ended by ${how}.${next}`);
  const what = `the process that trained ended by ${how}, as happens where memory runs out`;
  return new OutOfMemoryError(`${outOfMemorySentence(experiment, need, what)}${next}`);
}
