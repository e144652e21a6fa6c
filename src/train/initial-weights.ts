import { existsSync } from 'node:fs';
import { type Experiment, parseExperiment } from '../config/experiment.ts';
import { IMAGENET_WEIGHTS, type InitConfig } from '../config/init.ts';
import { resolvePath } from '../config/paths.ts';
import { sha256File } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import { findCheckpoint, readCheckpoint } from '../models/checkpoint.ts';
import type { EncoderName } from '../models/encoders/names.ts';
import { type FittedWeights, fitWeights } from '../models/pretrained/fit-weights.ts';
import { loadEncoder } from '../models/pretrained/load-encoder.ts';
import { type PublishedWeights, readPublishedWeights } from '../models/pretrained/read-file.ts';
import { findPublished, publishedPath } from '../models/pretrained/registry.ts';
import { findRun } from '../tracking/runs.ts';

/** What `init.from` may name beside runs that are there: earlier files of the same command, by their runs' ids. */
export type EarlierRuns = ReadonlyMap<string, string>;

/** Weights to start from as they were found, not yet held against the network; plain data, so a process can be told of them. */
export type InitialWeights = { where: string; skip: readonly string[] } & (
  | { of: 'network'; weights: NamedTensors }
  | { of: 'encoder'; encoder: EncoderName; published: PublishedWeights }
);

interface Places {
  runsDir: string;
  cacheDir: string;
  cwd: string;
  earlier: EarlierRuns;
}

/**
 * The weights that an experiment starts from; undefined where it starts from random ones.
 * Throws UserError where the run, its checkpoint or the file is not there, is damaged, or is of another network.
 */
export async function findInitialWeights(experiment: Experiment, places: Places): Promise<InitialWeights | undefined> {
  const { init, model } = experiment;
  if (init === undefined) return undefined;
  const { encoder, skip = [] } = init;
  if (encoder === undefined) return await findRunWeights(experiment, init, places);
  const where = findEncoderFile(encoder, model.encoder, places);
  return { of: 'encoder', encoder: model.encoder, published: await readPublishedWeights(where), where, skip };
}

/**
 * The file that `init.encoder` means. It is looked for when a run begins and not with the experiment's other files: those
 * of a finished run are read again, and need no weights. Throws UserError where there is none.
 */
export function findEncoderFile(
  typed: string,
  encoder: EncoderName,
  { cwd, cacheDir }: Pick<Places, 'cwd' | 'cacheDir'>,
): string {
  const published = typed === IMAGENET_WEIGHTS ? publishedPath(findPublished(encoder), cacheDir) : undefined;
  const path = published ?? resolvePath(typed, cwd);
  if (existsSync(path)) return path;
  const fetched = `npm run weights fetch ${encoder}`;
  const next =
    published === undefined
      ? `Published ones: ${fetched}, then init={encoder: ${IMAGENET_WEIGHTS}}.`
      : `${fetched} brings it.`;
  throw new UserError(expected(`a file that exists (${path})`, 'init.encoder', typed, next));
}

/** A network's weights with the initial ones in their places, and what to tell of them. Throws as fitWeights does. */
export function fitInitialWeights(initial: InitialWeights, network: NamedTensors): FittedWeights {
  if (initial.of === 'network') return fitWeights(network, initial.weights, initial);
  return loadEncoder(initial.encoder, network, initial.published, initial);
}

/** What a run says of the file that its encoder began with; nothing where that is a run's, which has tags of its own. */
export async function describeInitial(initial: InitialWeights | undefined): Promise<Record<string, string>> {
  if (initial?.of !== 'encoder') return {};
  return { 'init.encoder': initial.where, 'init.encoder.sha256': await sha256File(initial.where) };
}

async function findRunWeights(
  experiment: Experiment,
  { from, checkpoint, skip = [] }: InitConfig,
  { runsDir, earlier }: Places,
): Promise<InitialWeights> {
  const run = await findRun(runsDir, earlier.get(from!) ?? from!);
  const id = await findCheckpoint(run.dir, checkpoint!);
  const source = await parseExperiment(run.config);
  for (const key of ['encoder', 'decoder'] as const) {
    if (skip.length > 0 || source.model[key] === experiment.model[key]) continue;
    const what = `${source.model[key]}, which ${run.run_id} has,`;
    const next = 'Weights fit only their own network; init.skip names layers to start without.';
    throw new UserError(expected(what, `model.${key}`, experiment.model[key], next));
  }
  try {
    const { weights } = await readCheckpoint(run.dir, id);
    return { of: 'network', weights, where: run.run_id, skip };
  } catch (error) {
    throw new UserError(`${messageOf(error)} Choose another checkpoint of ${run.run_id}.`, { cause: error });
  }
}
