import type { JobsConfig } from '../config/jobs.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Executor } from './executor.ts';
import { localExecutor } from './local/local-executor.ts';
import { listPlaces } from './places.ts';

/** What an executor knows of the sweep whose jobs it gets. */
export interface ExecutorContext {
  /** The harness's folder, absolute. */
  project: string;
  /** The id of the sweep's run. */
  sweep: string;
  terminal: Terminal;
}

/** The executor that a sweep's `jobs` names. */
export async function createExecutor(config: JobsConfig, context: ExecutorContext): Promise<Executor> {
  switch (config.executor) {
    case 'local':
      return localExecutor(await listPlaces('auto', config.at_once), context);
    default:
      throw new Error(`no executor ${config.executor}`);
  }
}
