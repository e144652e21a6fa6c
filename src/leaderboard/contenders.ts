import type { ImageScore } from '../metrics/dice.ts';
import type { ScoredRun } from './run-scores.ts';

/** What is compared: one run, or runs that differ in their seed alone, whose images score the mean over the seeds. */
export interface Contender {
  /** A name that no other contender has. */
  label: string;
  /** At least one; all have the scores of all images. */
  runs: ScoredRun[];
}

/** Runs that were validated on the same images with the same labels. */
export interface ValidationSet {
  /** In the first run's order. */
  ids: string[];
  positive: boolean[];
  runs: ScoredRun[];
}

/** Parameters that say nothing of what is trained. */
const ASIDE = new Set([
  'name',
  'seed',
  'checkpoint_every',
  'keep_top_k',
  'nan_tolerance',
  'tensorboard',
  'mlflow_experiment',
]);

/** Puts runs together that can be compared image by image; those without scores of images are left out. */
export function findValidationSets(scored: readonly ScoredRun[]): ValidationSet[] {
  const sets = new Map<string, ValidationSet>();
  for (const run of scored) {
    if (run.images === undefined) continue;
    const lines = run.images.map(({ id, positive }) => `${id} ${positive}`);
    // Nearly always runs have their images in one order, and sorting hundreds of lists takes a while.
    const set = sets.get(lines.join('\n')) ?? sets.get([...lines].sort().join('\n'));
    if (set !== undefined) {
      set.runs.push(run);
      continue;
    }
    const first = { ids: run.images.map(({ id }) => id), positive: run.images.map(({ positive }) => positive) };
    const added: ValidationSet = { ...first, runs: [run] };
    for (const key of [lines, [...lines].sort()]) sets.set(key.join('\n'), added);
  }
  return [...new Set(sets.values())];
}

/**
 * The contenders of one set, in the runs' order. Finished runs that differ in their seed alone are one, unless there would be
 * nothing left to compare it with: then each of them is.
 */
export function findContenders({ runs }: ValidationSet): Contender[] {
  const groups = new Map<string, ScoredRun[]>();
  for (const scored of runs) {
    const { run } = scored;
    const key = run.status === 'FINISHED' ? experimentKey(run.record.params) : run.run_id;
    groups.set(key, [...(groups.get(key) ?? []), scored]);
  }
  const together = groups.size > 1 ? [...groups.values()] : runs.map((run) => [run]);
  const names = together.map((members) => members[0]!.run.name);
  return together.map((members) => {
    const { run } = members[0]!;
    const unique = names.filter((name) => name === run.name).length === 1;
    const seeds = new Set(members.map((member) => member.run.record.params.seed)).size;
    const many = members.length === 1 ? '' : ` (${members.length} ${seeds === members.length ? 'seeds' : 'runs'})`;
    return { label: `${unique ? run.name : run.run_id}${many}`, runs: members };
  });
}

/** Everything that decides a run but its seed, as one text. */
function experimentKey(params: Readonly<Record<string, string>>): string {
  const kept = Object.entries(params).filter(([key]) => !ASIDE.has(key));
  return JSON.stringify(kept.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Each image's Dice, in the order of `ids`: the mean over the contender's runs. */
export function diceOf(contender: Contender, ids: readonly string[]): Float64Array {
  return meanOverRuns(contender, ids, ({ dice }) => dice);
}

/** The share of the contender's runs that predict a mask, for each image. */
export function maskedOf(contender: Contender, ids: readonly string[]): Float64Array {
  return meanOverRuns(contender, ids, ({ predictedPositive }) => Number(predictedPositive));
}

function meanOverRuns(
  { runs }: Contender,
  ids: readonly string[],
  figure: (image: ImageScore) => number,
): Float64Array {
  const means = new Float64Array(ids.length);
  for (const { images = [] } of runs) {
    const sameOrder = images.every(({ id }, place) => id === ids[place]);
    const ordered = sameOrder ? images : inOrder(images, ids);
    for (const [place, image] of ordered.entries()) means[place]! += figure(image) / runs.length;
  }
  return means;
}

function inOrder(images: readonly ImageScore[], ids: readonly string[]): ImageScore[] {
  const byId = new Map(images.map((image) => [image.id, image]));
  return ids.map((id) => byId.get(id)!);
}
