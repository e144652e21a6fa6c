import type { Experiment } from '../config/experiment.ts';
import { resolvePath } from '../config/paths.ts';
import { expected, UserError } from '../core/errors.ts';
import { readFolds } from '../data/folds.ts';
import { foldsOf } from '../tracking/folds-of.ts';
import { listRuns } from '../tracking/runs.ts';

/** The run of one fold of an experiment is named for both. */
export function nameOfFold(name: string, fold: number): string {
  return `${name}-fold${fold}`;
}

/** The folds that an experiment's file has, ascending. Throws UserError where there are fewer than two. */
export async function listFolds({ data }: Experiment, cwd: string): Promise<number[]> {
  const rows = await readFolds(resolvePath(data.folds, cwd));
  const folds = [...new Set(rows.map(({ fold }) => fold))].filter((fold) => fold >= 0).sort((a, b) => a - b);
  if (folds.length >= 2) return folds;
  const next = 'It holds out one set of images. Draw folds: npm run folds data=… k=5 out=folds/k5.csv.';
  throw new UserError(expected('two folds or more with data.fold=all', data.folds, folds.length, next));
}

/**
 * The experiment of one fold. What it starts from is the same fold of another experiment where there is one, of the same
 * command or finished earlier: any other run was trained on images that this fold is validated on.
 * @param before names of experiments whose folds the same command trains earlier
 */
export async function experimentOfFold(
  experiment: Experiment,
  fold: number,
  { before, runsDir }: { before: readonly string[]; runsDir: string },
): Promise<Experiment> {
  const { name, data, init } = experiment;
  const own = { ...experiment, name: nameOfFold(name, fold), data: { ...data, fold } };
  if (init?.from === undefined) return own;
  if (before.includes(init.from)) return { ...own, init: { ...init, from: nameOfFold(init.from, fold) } };
  const child = await childOf(init.from, fold, runsDir);
  return child === undefined ? own : { ...own, init: { ...init, from: child } };
}

/** The run of a fold of the newest finished run of all folds that a reference names: an experiment, or that run itself. */
async function childOf(reference: string, fold: number, runsDir: string): Promise<string | undefined> {
  const named = (await listRuns(runsDir)).filter(
    ({ run_id, name, status, record }) =>
      status === 'FINISHED' &&
      foldsOf(record).has(fold) &&
      [run_id, name, name.replace(/-folds$/, '')].includes(reference),
  );
  const newest = named.at(-1);
  return newest && foldsOf(newest.record).get(fold);
}
