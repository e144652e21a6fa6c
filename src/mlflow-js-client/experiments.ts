import type { Connection } from './connection.ts';
import { MlflowError } from './error.ts';
import type { Experiment } from './types.ts';

/** Looks an experiment up by its name, deleted ones included; undefined where there is none. */
export async function getExperimentByName(connection: Connection, name: string): Promise<Experiment | undefined> {
  try {
    const query = { experiment_name: name };
    return (await connection.get<{ experiment: Experiment }>('experiments/get-by-name', query)).experiment;
  } catch (error) {
    if (error instanceof MlflowError && error.code === 'RESOURCE_DOES_NOT_EXIST') return undefined;
    throw error;
  }
}

/** Creates an experiment and returns its id; MlflowError `RESOURCE_ALREADY_EXISTS` where the name is taken. */
export async function createExperiment(connection: Connection, name: string): Promise<string> {
  const body = { name };
  return (await connection.post<{ experiment_id: string }>('experiments/create', body, false)).experiment_id;
}

/**
 * The experiment of that name, made if there is none. Several processes may ask at once: whoever comes second to
 * create it takes the first one's. Throws MlflowError where the name belongs to a deleted experiment.
 */
export async function getOrCreateExperiment(connection: Connection, name: string): Promise<Experiment> {
  const found = await getExperimentByName(connection, name);
  if (found === undefined) {
    await createExperiment(connection, name).catch((error: unknown) => {
      if (!(error instanceof MlflowError) || error.code !== 'RESOURCE_ALREADY_EXISTS') throw error;
    });
  }
  const experiment = found ?? (await getExperimentByName(connection, name));
  if (experiment?.lifecycle_stage === 'active') return experiment;
  const state =
    experiment === undefined ? 'vanished while it was made' : 'was deleted: restore it, or take another name';
  const call = { method: 'GET', path: '/api/2.0/mlflow/experiments/get-by-name' };
  throw new MlflowError(call, { status: 200, message: `experiment ${JSON.stringify(name)} ${state}` });
}
