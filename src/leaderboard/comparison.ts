import { didYouMean } from '../config/nearest.ts';
import { expected, UserError } from '../core/errors.ts';
import { type Bootstrap, createBootstrap, type Difference, type Estimate } from '../metrics/bootstrap.ts';
import {
  type Contender,
  diceOf,
  findContenders,
  findValidationSets,
  maskedOf,
  type ValidationSet,
} from './contenders.ts';
import { type DifferingParameter, findDiffering } from './parameters.ts';
import type { Patients } from './patients.ts';
import type { ScoredRun } from './run-scores.ts';

/** Runs beside one another. */
export interface Comparison {
  /** What they are sorted by, the best first. */
  metric: string;
  runs: ComparedRun[];
  parameters: DifferingParameter[];
  /** Those that were validated on the same images, the largest number of runs first. */
  sets: ComparedSet[];
}

export interface ComparedRun extends ScoredRun {
  /** The mean over its images with its interval, where it keeps what they score. */
  dice: Estimate | undefined;
}

export interface ComparedSet extends ValidationSet {
  patients: { count: number; from: string[]; unknown: number };
  contenders: ComparedContender[];
  /** Of `contenders`, what the others are held against. */
  baseline: ComparedContender;
}

/** A contender, by how much it is better than the baseline; undefined for the baseline itself and for those beyond `most`. */
export interface ComparedContender extends Contender {
  /** Each image's Dice, in the set's order, and the share of its runs that predict a mask. */
  imageDice: Float64Array;
  masked: Float64Array;
  difference: { dice: Difference; dice_positive: Difference; dice_empty: Difference } | undefined;
  /** How many empty images get a mask, and how many positive ones none; means over seeds. */
  falseAlarms: number;
  missed: number;
  /** Of the metric over its seeds; undefined for one run. */
  spread: { mean: number; deviation: number; least: number; most: number } | undefined;
}

export interface CompareOptions {
  /** `val/dice`, or any other of the runs' metrics. */
  metric: string;
  /** So many contenders, the best ones, are held against the baseline. */
  most: number;
  /** A run id or name that the others are held against; the best one when left out. */
  baseline?: string | undefined;
  patientsOf: (run: ScoredRun, ids: readonly string[]) => Promise<Patients>;
}

/** Compares runs. Throws UserError where none has the metric, or where the baseline is none of them. */
export async function compareRuns(scored: readonly ScoredRun[], options: CompareOptions): Promise<Comparison> {
  const { metric } = options;
  requireMetric(scored, metric);
  const sorted = sortRuns(scored, metric);
  const intervals = new Map<ScoredRun, Estimate>();
  const sets: ComparedSet[] = [];
  for (const set of findValidationSets(sorted)) sets.push(await compareSet(set, options, intervals));
  sets.sort((a, b) => b.runs.length - a.runs.length || b.ids.length - a.ids.length);
  requireBaseline(sets, options.baseline);
  return {
    metric,
    runs: sorted.map((run) => ({ ...run, dice: intervals.get(run) })),
    parameters: findDiffering(sorted.map(({ run }) => run)),
    sets,
  };
}

/** Whether less of a metric is better. */
export function lessIsBetter(metric: string): boolean {
  return metric.endsWith('loss');
}

async function compareSet(
  set: ValidationSet,
  { metric, baseline, most, patientsOf }: CompareOptions,
  intervals: Map<ScoredRun, Estimate>,
): Promise<ComparedSet> {
  const { ids, positive } = set;
  const { of, from } = await patientsOf(set.runs[0]!, ids);
  const groups = ids.map((id) => (of.has(id) ? `patient ${of.get(id)}` : `image ${id}`));
  const bootstrap = createBootstrap(groups);
  for (const run of set.runs) {
    intervals.set(run, bootstrap.mean(diceOf({ label: '', runs: [run] }, ids)));
  }
  const contenders = findContenders(set).map((contender) => describe(contender, set, metric));
  sortContenders(contenders, metric);
  const base = contenders.find(({ runs }) => runs.some(({ run }) => isNamed(run, baseline))) ?? contenders[0]!;
  const empty = positive.map((each) => !each);
  for (const contender of contenders.filter((each) => each !== base).slice(0, most)) {
    contender.difference = differ(bootstrap, base, contender, { positive, empty });
  }
  const patients = { count: new Set(groups).size, from, unknown: ids.filter((id) => !of.has(id)).length };
  return { ...set, patients, contenders, baseline: base };
}

function describe(contender: Contender, { ids, positive }: ValidationSet, metric: string): ComparedContender {
  const masked = maskedOf(contender, ids);
  const sum = (of: (share: number, image: number) => number) =>
    masked.reduce((before, share, image) => before + of(share, image), 0);
  return {
    ...contender,
    imageDice: diceOf(contender, ids),
    masked,
    difference: undefined,
    falseAlarms: sum((share, image) => (positive[image] ? 0 : share)),
    missed: sum((share, image) => (positive[image] ? 1 - share : 0)),
    spread: spreadOf(contender, metric),
  };
}

/** The best first, by the mean over their seeds. */
function sortContenders(contenders: ComparedContender[], metric: string): void {
  const sign = lessIsBetter(metric) ? 1 : -1;
  const rank = ({ spread, runs }: ComparedContender) => sign * (spread?.mean ?? runs[0]!.metrics[metric] ?? Number.NaN);
  contenders.sort((a, b) => rank(a) - rank(b) || 0);
}

function differ(
  bootstrap: Bootstrap,
  { imageDice: base }: ComparedContender,
  { imageDice: other }: ComparedContender,
  { positive, empty }: { positive: boolean[]; empty: boolean[] },
) {
  return {
    dice: bootstrap.difference(base, other),
    dice_positive: bootstrap.difference(base, other, positive),
    dice_empty: bootstrap.difference(base, other, empty),
  };
}

function spreadOf({ runs }: Contender, metric: string): ComparedContender['spread'] {
  const values = runs.flatMap(({ metrics }) => metrics[metric] ?? []);
  if (values.length < 2) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (values.length - 1));
  return { mean, deviation, least: Math.min(...values), most: Math.max(...values) };
}

/** The best first; runs without the metric last, in their own order. */
function sortRuns(scored: readonly ScoredRun[], metric: string): ScoredRun[] {
  const sign = lessIsBetter(metric) ? 1 : -1;
  const rank = ({ metrics }: ScoredRun) => (metrics[metric] === undefined ? Infinity : sign * metrics[metric]);
  return [...scored].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
}

function isNamed(run: ScoredRun['run'], name: string | undefined): boolean {
  return run.run_id === name || run.name === name || run.mlflow_run_id === name;
}

function requireMetric(scored: readonly ScoredRun[], metric: string): void {
  const known = new Set(scored.flatMap(({ metrics }) => Object.keys(metrics)));
  if (known.has(metric)) return;
  const list = [...known].sort();
  throw new UserError(expected(`one of ${list.join(', ')}`, 'sort', metric, didYouMean(metric, list)));
}

function requireBaseline(sets: readonly ComparedSet[], baseline: string | undefined): void {
  if (baseline === undefined) return;
  if (sets.some(({ runs }) => runs.some(({ run }) => isNamed(run, baseline)))) return;
  throw new UserError(expected('one of the compared runs that keeps what its images score', 'baseline', baseline));
}
