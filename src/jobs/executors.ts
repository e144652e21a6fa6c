import { join } from 'node:path';
import type { JobsConfig } from '../config/jobs.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Executor } from './executor.ts';
import { localExecutor } from './local/local-executor.ts';
import { listPlaces } from './places.ts';
import { rayExecutor } from './ray/ray-executor.ts';
import { slurmExecutor } from './slurm/slurm-executor.ts';

/** The harness's folder: what a job runs is relative to it. */
export const PROJECT = join(import.meta.dirname, '..', '..');

/** What an executor knows of the sweep whose jobs it gets. */
interface ExecutorContext {
  /** The id of the sweep's run. */
  sweep: string;
  terminal: Terminal;
}

/** The executor that a sweep's `jobs` names. */
export async function createExecutor(config: JobsConfig, context: ExecutorContext): Promise<Executor> {
  switch (config.executor) {
    case 'local':
      return localExecutor(await listPlaces('auto', config.at_once), { project: PROJECT });
    case 'slurm':
      return slurmExecutor(config, { project: PROJECT, ...context });
    case 'ray':
      return rayExecutor(config, { project: PROJECT, ...context });
  }
}
