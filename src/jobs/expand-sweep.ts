import type { Draw, Sweep } from '../config/sweep.ts';
import { createRng, type Rng } from '../core/random.ts';

/** One set of values that is tried; with several folds and seeds it has several units. */
export interface Trial {
  /** `t01`. */
  id: string;
  /** By dotted key. */
  changes: Record<string, unknown>;
}

/** One run of a sweep. */
export interface Unit {
  /** `t01-f0-s42-2`: its trial, and where the sweep has several of them its fold, its seed and its place in the chain. */
  id: string;
  trial: string;
  /** Its place in the chain, from 0. */
  stage: number;
  /** The experiment's file, as typed. */
  file: string;
  fold?: number;
  seed?: number;
  /** The unit before it in the chain, whose checkpoint it starts from. */
  after?: string;
}

/** The trials of a sweep, in its order; a random one draws the same ones every time. */
export function listTrials({ set, grid, list, random }: Sweep): Trial[] {
  const changes =
    grid !== undefined ? combine(grid) : list !== undefined ? list : random !== undefined ? drawAll(random) : [{}];
  const digits = Math.max(2, String(changes.length).length);
  return changes.map((own, index) => ({
    id: `t${String(index + 1).padStart(digits, '0')}`,
    changes: { ...set, ...own },
  }));
}

/** Every combination of one value for each key; the last key changes fastest. */
function combine(grid: Readonly<Record<string, readonly unknown[]>>): Record<string, unknown>[] {
  return Object.entries(grid).reduce<Record<string, unknown>[]>(
    (all, [key, values]) => all.flatMap((before) => values.map((value) => ({ ...before, [key]: value }))),
    [{}],
  );
}

function drawAll({ trials, seed, keys }: NonNullable<Sweep['random']>): Record<string, unknown>[] {
  return Array.from({ length: trials }, (_, trial) =>
    // A stream for each value: another key more, and the others stay what they were.
    Object.fromEntries(Object.entries(keys).map(([key, how]) => [key, drawOne(how, createRng(seed, trial, key))])),
  );
}

function drawOne(how: Draw, rng: Rng): unknown {
  if ('choice' in how) return how.choice[rng.integer(0, how.choice.length - 1)];
  if ('int' in how) return rng.integer(...how.int);
  if ('uniform' in how) return round(rng.between(...how.uniform));
  const [low, high] = how.log_uniform;
  return round(Math.exp(rng.between(Math.log(low), Math.log(high))));
}

/** Nobody tells learning rates apart by more digits, and tables can show these. */
function round(value: number): number {
  return Number(value.toPrecision(4));
}

/**
 * The units of trials on folds (undefined: the experiment's own alone), first all first stages: trial by trial, fold by fold, seed by
 * seed.
 */
export function listUnits(
  { base, seeds }: Sweep,
  trials: readonly Trial[],
  folds: readonly number[] | undefined,
): Unit[] {
  return base.flatMap((file, stage) =>
    trials.flatMap(({ id: trial }) =>
      (folds ?? [undefined]).flatMap((fold) =>
        (seeds ?? [undefined]).map((seed): Unit => {
          const own = [trial, fold === undefined ? '' : `-f${fold}`, seed === undefined ? '' : `-s${seed}`].join('');
          const place = (index: number) => (base.length === 1 ? own : `${own}-${index + 1}`);
          return {
            id: place(stage),
            trial,
            stage,
            file,
            ...(fold === undefined ? {} : { fold }),
            ...(seed === undefined ? {} : { seed }),
            ...(stage === 0 ? {} : { after: place(stage - 1) }),
          };
        }),
      ),
    ),
  );
}
