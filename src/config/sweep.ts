import { z } from 'zod';
import { expected } from '../core/errors.ts';
import type { Problem } from './describe-problem.ts';
import { jobsConfig } from './jobs.ts';
import { type CheckedParts, type ConfigOf, optional, required, withDefault } from './keys.ts';
import { loadConfig } from './load-config.ts';
import { loadYaml } from './load-yaml.ts';

const file = z.string().regex(/\.ya?ml$/, 'an experiment’s file');
/** Values of an experiment's keys, by dotted key. */
const changes = z.record(z.string().min(1), z.unknown());

/** How a value is drawn: one of a list, or a number between two, evenly or evenly in its logarithm. */
const draw = z.union([
  z.strictObject({ choice: z.array(z.unknown()).min(1) }),
  z.strictObject({ int: z.tuple([z.int(), z.int()]) }),
  z.strictObject({ uniform: z.tuple([z.number(), z.number()]) }),
  z.strictObject({ log_uniform: z.tuple([z.number().positive(), z.number().positive()]) }),
]);
export type Draw = z.infer<typeof draw>;

const random = z.strictObject({
  trials: z.int().min(1).max(100_000),
  seed: z.int().min(0).default(42),
  keys: z.record(z.string().min(1), draw),
});

/** Successive halving: who is worse than the best 1/factor by more than a margin of Dice, at growing epochs, is stopped. */
const halving = z.strictObject({
  first_epoch: z.int().min(1),
  factor: z.number().min(1.5).max(10).default(3),
  margin: z.number().min(0).max(1).default(0.01),
});
export type Halving = z.infer<typeof halving>;

/** Every key of `experiments/sweeps/*.yml`; docs/reference/sweep.md describes them at length. */
export const sweepKeys = {
  name: required(
    'Names the sweep, its folder, and its runs with their trial behind it.',
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$/, 'up to 40 letters, digits and . _ - (first a letter or digit)'),
  ),
  base: required('The experiment of every trial; several files are a chain.', (value) =>
    Array.isArray(value) ? z.array(file).min(1) : (file as z.ZodType<string | string[]>),
  ),
  set: withDefault('Keys that all trials change, before their own.', changes, {}),
  grid: optional(
    'Keys and lists of values: every combination is a trial.',
    z.record(z.string().min(1), z.array(z.unknown()).min(1)),
  ),
  list: optional('The trials one by one, each by the keys that it changes.', z.array(changes).min(1)),
  random: optional('Trials drawn at random.', random),
  folds: optional('The folds to train each trial on, or all; left out: the experiment’s.', (value) =>
    value === 'all' ? (z.literal('all') as z.ZodType<'all' | number[]>) : z.array(z.int().min(0)).min(1),
  ),
  seeds: optional('The seeds to train each trial with; left out: the experiment’s.', z.array(z.int().min(0)).min(1)),
  halving: optional('Stop the clearly worse trials early.', halving),
  retries: withDefault('How often a unit that failed is begun again.', z.int().min(0).max(100), 1),
  jobs: withDefault('Where the units run: this machine, Ray or Slurm.', jobsConfig, jobsConfig(undefined).parse({})),
};

/** A checked sweep; paths are as typed. */
export type Sweep = Omit<ConfigOf<typeof sweepKeys>, 'base'> & { base: string[] };

/**
 * Reads a sweep, `key=value` words laid over its file. Throws one UserError that lists every problem with its place.
 */
export async function parseSweep(
  path: string,
  overrides: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Sweep> {
  const config = await loadConfig(sweepKeys, loadYaml(path, overrides, cwd), checkTogether);
  return { ...config, base: [config.base].flat() };
}

/** What the keys must be to one another. */
function checkTogether(parts: CheckedParts<typeof sweepKeys>): Problem[] {
  const problems: Problem[] = [];
  const kinds = (['grid', 'list', 'random'] as const).filter((key) => parts[key] !== undefined);
  if (kinds.length > 1) {
    problems.push({
      path: [kinds[1]!],
      sentence: expected('one of grid, list and random', 'trials', kinds.join(' and ')),
    });
  }
  for (const key of ['folds', 'seeds'] as const) {
    const values = parts[key];
    if (!Array.isArray(values) || new Set(values).size === values.length) continue;
    problems.push({ path: [key], sentence: expected('each value once', key, values) });
  }
  for (const [key, drawn] of Object.entries(parts.random?.keys ?? {})) {
    const [low, high] = Object.values(drawn)[0] as number[];
    if ('choice' in drawn || low! < high!) continue;
    problems.push({ path: ['random', 'keys', key], sentence: expected('the smaller end first', key, [low, high]) });
  }
  return [...problems, ...checkOwn(parts)];
}

/** Keys that a sweep sets itself: by its trials' names, folds and seeds. */
const OWN: Readonly<Record<string, string>> = {
  name: 'Each unit gets a name of its own.',
  seed: 'Write seeds: [1, 2].',
  'data.fold': 'Write folds: [0, 1] or folds: all.',
};

function checkOwn({ set, grid, list, random }: CheckedParts<typeof sweepKeys>): Problem[] {
  const keys = [
    ...Object.keys(set ?? {}).map((key) => ['set', key]),
    ...Object.keys(grid ?? {}).map((key) => ['grid', key]),
    ...(list ?? []).flatMap((each, index) => Object.keys(each).map((key) => ['list', index, key])),
    ...Object.keys(random?.keys ?? {}).map((key) => ['random', 'keys', key]),
  ];
  return keys.flatMap((path) => {
    const key = String(path.at(-1));
    return Object.hasOwn(OWN, key)
      ? [{ path, sentence: expected('a key that a sweep does not set itself', path.join('.'), key, OWN[key]) }]
      : [];
  });
}
