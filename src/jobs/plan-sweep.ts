import { type Experiment, parseExperiment } from '../config/experiment.ts';
import type { Sweep } from '../config/sweep.ts';
import { expected, UserError } from '../core/errors.ts';
import { checkPlannedLineage } from '../train/contamination.ts';
import { listTrials, listUnits, type Trial, type Unit } from './expand-sweep.ts';
import { experimentOfFold, listFolds } from './fold-experiments.ts';
import type { PlannedUnit } from './sweep-plan.ts';

/** Where a sweep is planned. */
interface Place {
  /** The sweep's file as typed, for messages. */
  file: string;
  cwd: string;
  runsDir: string;
}

/** A unit and what it comes to. */
export interface CheckedUnit extends Unit {
  experiment: Experiment;
  /** Of its trial. */
  changes: Record<string, unknown>;
}

/**
 * All units of a sweep, each checked as `exp` checks it: a mistake shows now, not tomorrow. Folds and what trials start from must be
 * there by now. Throws one UserError with everything that is wrong.
 */
export async function checkUnits(sweep: Sweep, place: Place): Promise<{ trials: Trial[]; units: CheckedUnit[] }> {
  const trials = listTrials(sweep);
  const folds = await chooseFolds(sweep, trials[0]!, place);
  const units = listUnits(sweep, trials, folds);
  const changes = new Map(trials.map((trial) => [trial.id, trial.changes]));
  const names: string[] = [];
  for (const path of sweep.base) names.push((await parseExperiment(path, {}, place.cwd)).name);
  const byId = new Map<string, CheckedUnit>();
  const problems = new Set<string>();
  // A fold's number and a seed are checked already: one parsing serves all of a trial's.
  const parsed = new Map<string, Experiment | undefined>();
  for (const unit of units) {
    const own = changes.get(unit.trial)!;
    const key = `${unit.trial} ${unit.stage}`;
    if (!parsed.has(key)) parsed.set(key, await parse(unit, own, place, problems));
    const experiment = parsed.get(key);
    if (experiment === undefined) continue;
    byId.set(unit.id, {
      ...unit,
      changes: own,
      experiment: await ofUnit(experiment, unit, { sweep, names, before: byId }, place),
    });
  }
  if (problems.size > 0) throw new UserError([...problems].join('\n'));
  for (const chain of chainsOf([...byId.values()])) {
    await checkPlannedLineage(
      chain.map(({ experiment }) => experiment),
      place,
    );
  }
  return { trials, units: units.map(({ id }) => byId.get(id)!) };
}

async function parse(
  { file, trial }: Unit,
  changes: Readonly<Record<string, unknown>>,
  { file: from, cwd }: Place,
  problems: Set<string>,
): Promise<Experiment | undefined> {
  try {
    return await parseExperiment(file, asWords(changes), cwd, `${from}, trial ${trial}`);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    for (const line of error.message.split('\n')) problems.add(line);
    return undefined;
  }
}

/** The folds to train each trial on; undefined where it is the experiment's own. */
async function chooseFolds(
  { base, folds }: Sweep,
  { changes }: Trial,
  { file, cwd }: Place,
): Promise<number[] | undefined> {
  if (folds === undefined) return undefined;
  const there = await listFolds(await parseExperiment(base[0]!, asWords(changes), cwd, file), cwd);
  if (folds === 'all') return there;
  const absent = folds.filter((fold) => !there.includes(fold));
  if (absent.length === 0) return folds;
  throw new UserError(expected(`some of the folds ${there.join(', ')}`, 'folds', absent));
}

/**
 * The experiment of a unit: by its own name, fold and seed, from what it starts from.
 * @param names of the experiments of the chain
 */
async function ofUnit(
  experiment: Experiment,
  { id, stage, file, fold, seed, after }: Unit,
  { sweep, names, before }: { sweep: Sweep; names: readonly string[]; before: ReadonlyMap<string, CheckedUnit> },
  { runsDir }: Place,
): Promise<Experiment> {
  const data = { ...experiment.data, fold: fold ?? experiment.data.fold };
  const placed = { ...experiment, name: `${sweep.name}-${id}`, data, seed: seed ?? experiment.seed };
  const { init } = experiment;
  if (after === undefined) {
    if (fold === undefined) return placed;
    const { init: ofFold } = await experimentOfFold(placed, fold, { before: [], runsDir });
    return ofFold === undefined ? placed : { ...placed, init: ofFold };
  }
  const earlier = names.slice(0, stage);
  if (init?.from === undefined || !earlier.includes(init.from)) {
    const next = 'Only what starts from the file before it belongs behind it in base.';
    throw new UserError(expected(`init.from: ${earlier.at(-1)}`, file, init?.from ?? 'none', next));
  }
  return { ...placed, init: { ...init, from: before.get(after)?.experiment.name ?? init.from } };
}

function chainsOf(units: readonly CheckedUnit[]): CheckedUnit[][] {
  const chains = new Map<string, CheckedUnit[]>();
  for (const unit of units) {
    const chain = unit.after === undefined ? [] : chains.get(unit.after)!;
    chain.push(unit);
    chains.set(unit.id, chain);
  }
  return [...new Set(chains.values())];
}

/** The units with their runs' ids and the words by which `exp` makes each of them. */
export function planUnits(units: readonly CheckedUnit[], sweepRun: string): PlannedUnit[] {
  const runOf = (id: string) => `${sweepRun}-${id}`;
  return units.map(({ experiment, changes, ...unit }) => {
    const { id, file, fold, seed, after } = unit;
    const from = after === undefined ? experiment.init?.from : runOf(after);
    const words = {
      ...asWords(changes),
      name: experiment.name,
      ...(fold === undefined ? {} : { 'data.fold': String(fold) }),
      ...(seed === undefined ? {} : { seed: String(seed) }),
      ...(from === undefined ? {} : { 'init.from': from }),
      run: runOf(id),
      sweep: sweepRun,
    };
    const typed = Object.entries(words).map(([key, value]) => `${key}=${value}`);
    const init =
      from === undefined ? {} : { init: { run: from, checkpoint: experiment.init?.checkpoint ?? 'best-dice' } };
    return { ...unit, run_id: runOf(id), words: ['exp', file, ...typed], ...init, epochs: experiment.epochs };
  });
}

/** Values as `key=value` words have them: JSON is YAML. */
function asWords(changes: Readonly<Record<string, unknown>>): Record<string, string> {
  return Object.fromEntries(Object.entries(changes).map(([key, value]) => [key, JSON.stringify(value)]));
}
