import { fileURLToPath } from 'node:url';
import type { SlurmJobs } from '../../config/jobs.ts';
import { type Job, jobCommand } from '../executor.ts';
import { slurmLog, writeArray } from './array-file.ts';
import { askSlurm } from './ask-slurm.ts';

export const ARRAY_TASK = fileURLToPath(new URL('./array-task.sh', import.meta.url));

/** So long before its time is up, a job is told by SIGUSR1 to save and to end as one that is to be taken up again; seconds. */
const NOTICE = 120;

/** What a job is given, and how it is treated; the user's own options come last, so that they win. */
export function resourceOptions({ gpus, cpus, memory, partition, account, time, options }: SlurmJobs): string[] {
  return [
    ...(gpus > 0 ? [`--gres=gpu:${gpus}`] : []),
    '--ntasks=1',
    `--cpus-per-task=${cpus}`,
    ...(memory === undefined ? [] : [`--mem=${Math.ceil(memory * 1024)}M`]),
    ...(partition === undefined ? [] : [`--partition=${partition}`]),
    ...(account === undefined ? [] : [`--account=${account}`]),
    ...(time === undefined ? [] : [`--time=${time}`]),
    '--requeue',
    `--signal=B:USR1@${NOTICE}`,
    ...options,
  ];
}

/** Hands over jobs as one array; their handles, in order. Throws what askSlurm throws. */
export async function submitArray(
  jobs: readonly Job[],
  config: SlurmJobs,
  { project, sweep }: { project: string; sweep: string },
): Promise<string[]> {
  const arrayFile = await writeArray(jobs);
  const [first] = jobs as [Job];
  const own = [
    '--parsable',
    `--array=0-${jobs.length - 1}`,
    `--job-name=${sweep}`,
    `--comment=${arrayFile}`,
    `--chdir=${project}`,
    `--output=${slurmLog(first.file.replaceAll('%', '%%'), '%A_%a')}`,
    '--open-mode=append',
  ];
  // The command's last word is the file of the attempt, which is each task's own.
  const task = [ARRAY_TASK, arrayFile, ...jobCommand(first).slice(0, -1)];
  const printed = await askSlurm('sbatch', [...resourceOptions(config), ...own, ...task], `take ${jobs.length} jobs`);
  // With several clusters: `<array>;<cluster>`.
  const array = /^(\d+)(;|$)/m.exec(printed)?.[1];
  if (array === undefined) throw new Error(`Expected the number of a job from sbatch but received ${printed}.`);
  return jobs.map((_, index) => `${array}_${index}`);
}

/** How many tasks an array may have on this cluster. */
export async function largestArray(): Promise<number> {
  const config = await askSlurm('scontrol', ['show', 'config'], 'show the cluster’s configuration');
  return Math.max(1, Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(config)?.[1] ?? 1));
}
