import type { JobState } from '../executor.ts';
import { askSlurm } from './ask-slurm.ts';

/** A job in Slurm's queue. */
export interface QueuedJob {
  /** `<array>_<task>`. */
  handle: string;
  state: JobState;
  /** Why it waits, in Slurm's words: `Resources`, `ReqNodeNotAvail, UnavailableNodes:node7`. */
  reason: string;
  /** The file of its array, and which line of it it is, from 0. */
  arrayFile: string;
  task: number;
}

const WAITING = ['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_HOLD', 'REQUEUE_FED', 'SPECIAL_EXIT', 'RESV_DEL_HOLD'];

/** The jobs of a sweep that wait, run or are being ended; one that Slurm puts back into its queue keeps its handle. */
export async function readQueue(sweep: string): Promise<QueuedJob[]> {
  const words = ['--me', `--name=${sweep}`, '--array', '--noheader', '--format=%F|%K|%T|%r|%k'];
  const printed = await askSlurm('squeue', words, 'list the jobs of the sweep');
  return printed.split('\n').flatMap((line) => {
    const parts = /^(\d+)\|(\d+)\|(\w+)\|([^|]*)\|(.*)$/.exec(line.trim());
    if (parts === null) return [];
    const [, array, task, state, reason, arrayFile] = parts as unknown as string[];
    return [
      {
        handle: `${array}_${task}`,
        state: stateOf(state!),
        reason: reason!,
        arrayFile: arrayFile!,
        task: Number(task),
      },
    ];
  });
}

/** Without `--states`, squeue lists no job that has ended. */
function stateOf(state: string): JobState {
  return WAITING.includes(state) ? 'waiting' : 'running';
}
