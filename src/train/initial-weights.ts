import { type Experiment, parseExperiment } from '../config/experiment.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import { findCheckpoint, readCheckpoint } from '../models/checkpoint.ts';
import { findRun } from '../tracking/runs.ts';

/** What `init.from` may name beside runs that are there: earlier files of the same command, by their runs' ids. */
export type EarlierRuns = ReadonlyMap<string, string>;

/**
 * The weights that an experiment starts from; undefined where it starts from random ones.
 * Throws UserError where the run or its checkpoint is not there, is damaged, or is of another network.
 */
export async function findInitialWeights(
  experiment: Experiment,
  runsDir: string,
  earlier: EarlierRuns,
): Promise<NamedTensors | undefined> {
  const { init } = experiment;
  if (init === undefined) return undefined;
  const run = await findRun(runsDir, earlier.get(init.from) ?? init.from);
  const id = await findCheckpoint(run.dir, init.checkpoint);
  const source = await parseExperiment(run.config);
  for (const key of ['encoder', 'decoder'] as const) {
    if (source.model[key] === experiment.model[key]) continue;
    const what = `${source.model[key]}, which ${run.run_id} has,`;
    throw new UserError(expected(what, `model.${key}`, experiment.model[key], 'Weights fit only their own network.'));
  }
  try {
    return (await readCheckpoint(run.dir, id)).weights;
  } catch (error) {
    throw new UserError(`${messageOf(error)} Choose another checkpoint of ${run.run_id}.`, { cause: error });
  }
}
