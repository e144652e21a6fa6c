import { setTimeout as sleep } from 'node:timers/promises';
import type { SlurmJobs } from '../../config/jobs.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { Executor, Job, JobState } from '../executor.ts';
import { readTail } from '../read-tail.ts';
import { readArray, slurmLog } from './array-file.ts';
import { askSlurm } from './ask-slurm.ts';
import { checkCluster } from './check-cluster.ts';
import { type QueuedJob, readQueue } from './queue.ts';
import { largestArray, submitArray } from './sbatch.ts';

interface SlurmSweep {
  /** The absolute path of the harness's folder, which all nodes see. */
  project: string;
  /** The sweep's run id: the name of its jobs in Slurm's queue. */
  sweep: string;
  terminal: Terminal;
}

/** The controller of a cluster serves everybody. */
const POLL_MS = 2000;

/** In one command, so that it stays far below what a program may be given. */
const HANDLES_AT_ONCE = 1000;

/** Why jobs wait on any day. */
const ORDINARY = ['None', 'Resources', 'Priority', 'BeginTime'];

/** Slurm, by its programs: jobs are tasks of arrays, `<array>_<task>` is a handle. */
export function slurmExecutor(config: SlurmJobs, { project, sweep, terminal }: SlurmSweep): Executor {
  const said = new Set(ORDINARY);
  return {
    atOnce: config.at_once ?? 1000,
    check: () => checkCluster(config),
    submit: (jobs) => submit(jobs, config, { project, sweep }),
    async status(handles) {
      const queue = await readQueue(sweep);
      const states = new Map(queue.map(({ handle, state }) => [handle, state]));
      sayReasons(queue, said, terminal);
      return new Map<string, JobState>(handles.map((handle) => [handle, states.get(handle) ?? 'gone']));
    },
    logs: (handle, { file }) => readTail(slurmLog(file, handle)),
    async cancel(handles) {
      for (let i = 0; i < handles.length; i += HANDLES_AT_ONCE) {
        const part = handles.slice(i, i + HANDLES_AT_ONCE);
        await askSlurm('scancel', part, `cancel ${part.length} jobs`);
      }
    },
    list: async (name) => await jobsIn(await readQueue(name)),
    wait: (signal) => sleep(POLL_MS, undefined, { signal }).catch(() => {}),
  };
}

/** What is in the queue already is not handed over again. */
async function submit(
  jobs: readonly Job[],
  config: SlurmJobs,
  { project, sweep }: Pick<SlurmSweep, 'project' | 'sweep'>,
): Promise<string[]> {
  if (jobs.length === 0) return [];
  const handles = await jobsIn(await readQueue(sweep));
  const fresh = jobs.filter(({ id }) => !handles.has(id));
  const size = await largestArray();
  for (let i = 0; i < fresh.length; i += size) {
    const part = fresh.slice(i, i + size);
    const given = await submitArray(part, config, { project, sweep });
    for (const [index, { id }] of part.entries()) handles.set(id, given[index]!);
  }
  return jobs.map(({ id }) => handles.get(id)!);
}

/** Handles by job id: a task's line in the file of its array says which job it is. */
async function jobsIn(queue: readonly QueuedJob[]): Promise<Map<string, string>> {
  const files = [...new Set(queue.map(({ arrayFile }) => arrayFile))];
  const ids = new Map(await Promise.all(files.map(async (file) => [file, await readArray(file)] as const)));
  return new Map(queue.map(({ arrayFile, task, handle }) => [ids.get(arrayFile)![task]!, handle]));
}

/** Says once each reason for which jobs wait that is not an everyday one: a node that is down, a limit, a hold. */
function sayReasons(queue: readonly QueuedJob[], said: Set<string>, terminal: Terminal): void {
  for (const { state, reason, handle } of queue) {
    const kind = reason.replace(/[,:].*/, '');
    if (state !== 'waiting' || said.has(kind)) continue;
    said.add(kind);
    terminal.warn(`Slurm lets ${handle} wait: ${reason} (\`scontrol show job ${handle}\` tells more)`);
  }
}
