import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { preparePhantom } from '../../src/commands/prepare-phantom.ts';
import { parseExperiment } from '../../src/config/experiment.ts';
import { silentTerminal } from '../../src/core/terminal.ts';
import { writeAttempt } from '../../src/jobs/attempt.ts';
import type { Job } from '../../src/jobs/executor.ts';
import { SMALL_EXPERIMENT } from './run-exp.ts';

/** The sweep whose jobs they are. */
export const SWEEP = '20261129-060000-lr';

/** A folder with a phantom, and jobs in it for an engine. */
export interface JobsFolder {
  folder: string;
  jobOf(name: string, words: string[]): Promise<Job>;
  /** An experiment that trains for half a second an epoch. */
  expOf(name: string, epochs: number): Promise<Job>;
  remove(): Promise<void>;
}

/** @param label begins its name, which has a blank in it: whoever passes it through a shell must quote it */
export async function makeJobsFolder(label: string): Promise<JobsFolder> {
  const folder = await mkdtemp(join(tmpdir(), `${label} jobs-`));
  await writeFile(join(folder, 'small.yml'), SMALL_EXPERIMENT);
  // Nobody listens on port 1.
  const environment = { MLFLOW_TRACKING_URI: 'http://127.0.0.1:1', PNEUMOTHORAX_LOADER_WORKERS: '1' };
  await writeFile(join(folder, 'environment.json'), JSON.stringify(environment));
  const experiment = await parseExperiment('small.yml', {}, folder);
  await preparePhantom(experiment, { cwd: folder, signal: new AbortController().signal, folds: 2 }, silentTerminal);
  const jobOf = async (name: string, words: string[]) => {
    const file = join(folder, 'sweep', `${name}.1.json`);
    await writeAttempt(file, { words, cwd: folder, environment: join(folder, 'environment.json') });
    return { id: `${SWEEP}.${name}.1`, file };
  };
  return {
    folder,
    jobOf,
    expOf: async (name, epochs) =>
      await jobOf(name, ['exp', 'small.yml', `name=${name}`, `epochs=${epochs}`, 'resume=last']),
    remove: async () => await rm(folder, { recursive: true, force: true, maxRetries: 5 }),
  };
}
