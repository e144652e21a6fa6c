import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { loadYaml } from '../../config/load-yaml.ts';
import { isMapping } from '../../config/overrides.ts';
import { gateMember, parseSubmission, parseUntuned } from '../../config/submission.ts';
import { expected, messageOf, UserError } from '../../core/errors.ts';
import { foldsOf } from '../../tracking/folds-of.ts';
import type { RunSummary } from '../../tracking/runs.ts';
import { isSweep } from '../../tracking/sweep-of.ts';

/** Something that still needs a checkpoint. */
export interface Reference {
  /** A run id, an MLflow run id, or a name: then of every run that has it, and of its folds' runs. */
  run: string;
  /** A name such as `best-dice`, or the folder under `checkpoints/`. */
  checkpoint: string;
  /** The file that says so, as a person would name it. */
  by: string;
}

/** All references, and how many files were read for them. */
export interface References {
  references: Reference[];
  consulted: { experiments: number; submissions: number; manifests: number; runs: number };
}

/**
 * What submissions (`submissions/*.yml`, and the manifests of those that were built) and experiments (`experiments/*.yml`, and the
 * runs' own configurations) refer to, in `folders` and below. Throws UserError where one of these files cannot be read: what it
 * needs is then not known.
 */
export async function readReferences(
  folders: readonly string[],
  runs: readonly RunSummary[],
  cwd: string,
): Promise<References> {
  const find = async (name: string, ending: RegExp) => {
    const found = await Promise.all([...new Set(folders)].map((folder) => filesBelow(join(folder, name), ending)));
    return found.flat();
  };
  const submissions = await find('submissions', /\.ya?ml$/);
  const manifests = await find('submissions', /\.manifest\.json$/);
  const experiments = await find('experiments', /\.ya?ml$/);
  const named = (path: string) => relative(cwd, path) || path;
  const references: Reference[] = [];
  for (const path of submissions) references.push(...(await ofSubmission(path, named(path), cwd)));
  for (const path of manifests) references.push(...(await ofManifest(path, named(path))));
  for (const path of experiments)
    references.push(...ofExperiment(path, named(path)), ...ofSweepFile(path, named(path)));
  for (const run of runs) references.push(...ofExperiment(run.config, `run ${run.run_id}`));
  for (const run of runs.filter(({ record }) => isSweep(record))) references.push(...(await ofSweep(run)));
  const consulted = { experiments: experiments.length, submissions: submissions.length, manifests: manifests.length };
  references.push(...references.flatMap((reference) => ofFolds(reference, runs)));
  return { references, consulted: { ...consulted, runs: runs.length } };
}

/** The runs of the folds of a run of all folds that is named by its id; by their names they are known anyway (see planRun). */
function ofFolds({ run, checkpoint, by }: Reference, runs: readonly RunSummary[]): Reference[] {
  const named = runs.find(({ run_id, mlflow_run_id }) => run_id === run || mlflow_run_id === run);
  const folds = named === undefined ? [] : [...foldsOf(named.record).values()];
  return folds.map((fold) => ({ run: fold, checkpoint, by }));
}

async function ofSubmission(path: string, by: string, cwd: string): Promise<Reference[]> {
  // What it was tuned by may be gone, or is still to be made.
  const submission = await parseSubmission(path, {}, cwd)
    .catch(() => parseUntuned(path, {}, cwd))
    .catch((error: unknown) => {
      const next = 'Correct or remove it: what it refers to is kept, and has to be known.';
      throw new UserError(`${messageOf(error)}\n${next}`, { cause: error });
    });
  const gate = gateMember(submission);
  const members = [...submission.members, ...(gate === undefined ? [] : [gate])];
  return members.map(({ run, checkpoint }) => ({ run, checkpoint, by }));
}

/** Whatever in a manifest has both a run's id and a checkpoint's: members, and a gate. */
async function ofManifest(path: string, by: string): Promise<Reference[]> {
  const pick = (value: unknown): Reference[] => {
    if (typeof value !== 'object' || value === null) return [];
    const { run_id: run, checkpoint_id: checkpoint } = value as Record<string, unknown>;
    const own = typeof run === 'string' && typeof checkpoint === 'string' ? [{ run, checkpoint, by }] : [];
    return [...own, ...Object.values(value).flatMap(pick)];
  };
  try {
    return pick(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const next = 'Restore or remove it: what it refers to is kept, and has to be known.';
    throw new UserError(expected('the manifest of a submission', path, messageOf(error), next), { cause: error });
  }
}

/** What `init.from` names, in the file as it is and in its short form; nothing else in it is checked. */
function ofExperiment(path: string, by: string): Reference[] {
  const name = 'quick';
  const { value: whole } = loadYaml(path);
  const forms = isMapping(whole) && isMapping(whole[name]) ? [false, true] : [false];
  return forms.flatMap((wanted) => {
    const { value } = loadYaml(path, {}, undefined, { name, wanted });
    const init = isMapping(value) ? value.init : undefined;
    if (!isMapping(init) || typeof init.from !== 'string') return [];
    const { checkpoint = 'best-dice' } = init;
    return [{ run: init.from, checkpoint: String(checkpoint), by }];
  });
}

/** What the trials of a sweep that may be begun start from: `init.from` among the keys that they change. */
function ofSweepFile(path: string, by: string): Reference[] {
  const { value: whole } = loadYaml(path);
  if (!isMapping(whole) || !('base' in whole)) return [];
  const parts = [whole.set, whole.grid, ...(Array.isArray(whole.list) ? whole.list : [])].filter(isMapping);
  const textsOf = (key: string) =>
    parts.flatMap((part) => [part[key]].flat()).filter((value) => typeof value === 'string');
  const checkpoints = textsOf('init.checkpoint');
  return textsOf('init.from').flatMap((run) =>
    (checkpoints.length === 0 ? ['best-dice'] : checkpoints).map((checkpoint) => ({ run, checkpoint, by })),
  );
}

/** What the units of a sweep that is not over start from: those that have not begun have no configuration yet. */
async function ofSweep({ dir, run_id, status }: RunSummary): Promise<Reference[]> {
  const path = join(dir, 'sweep.json');
  if (status !== 'RUNNING' || !existsSync(path)) return [];
  const { units } = JSON.parse(await readFile(path, 'utf8')) as { units: { init?: Omit<Reference, 'by'> }[] };
  return units.flatMap(({ init }) => (init === undefined ? [] : [{ ...init, by: `sweep ${run_id}` }]));
}

async function filesBelow(folder: string, ending: RegExp): Promise<string[]> {
  if (!existsSync(folder)) return [];
  const names = await readdir(folder, { recursive: true });
  return names
    .filter((name) => ending.test(name))
    .sort()
    .map((name) => join(folder, name));
}
