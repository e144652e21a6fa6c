import { expected, UserError } from '../../core/errors.ts';
import { areaOfRuns } from '../../core/rle.ts';
import type { Terminal } from '../../core/terminal.ts';
import { drawFolds } from '../../data/draw-folds.ts';
import { createBootstrap, type Difference, type Estimate } from '../../metrics/bootstrap.ts';
import { sumOf } from '../../metrics/sum.ts';
import type { ProbabilitySource } from '../../predict/probability-source.ts';
import type { ProbabilityStore } from '../../predict/probability-store.ts';
import type { ResolvedMember } from '../members.ts';
import { type CrossFit, crossFit } from './cross-fit.ts';
import type { TunePlan } from './plan.ts';
import { type SettingScores, scoreSetting, type Tabulated } from './setting.ts';
import { type Grid, PLAIN, type Step } from './space.ts';
import { tabulateStores } from './tabulate-images.ts';
import type { TuneImage, TuneStores } from './tune-images.ts';
import { weightKey } from './weights.ts';

export interface TuneOptions {
  source: ProbabilitySource;
  /** Into how many parts the images are cut; each is scored by what was found on all others. */
  parts: number;
  seed: number;
  /** Side of the masks. */
  size: number;
  grid: Grid;
  signal: AbortSignal;
}

/** What one more step comes to. */
export interface Rung {
  /** `plain` is a threshold of 0.5, the views of `tta` left out. */
  step: 'plain' | 'tta' | Step;
  /** Of settings found without the images that they are scored on. */
  dice: Estimate;
  /** Of settings found on the images that they are scored on. */
  optimistic: number;
  /** Over the rung before; undefined of the first. */
  gain: Difference | undefined;
}

/** Where the points are lost: what the masks would score with one of the two decisions made perfectly. */
export interface Limits {
  /** Every empty image is known, and so is every other. */
  perfect_gate: Estimate;
  /** Every mask that is drawn on an image with one is the true one. */
  perfect_segmenter: Estimate;
}

export interface TuneResult {
  rungs: Rung[];
  /** All steps together. */
  fit: CrossFit;
  limits: Limits;
  /** By image: its part. */
  parts: Int32Array;
  /** Of honest scores. */
  dicePositive: Estimate;
  diceEmpty: Estimate;
  /** All images at the weights that were found. */
  tabulated: Tabulated;
}

/**
 * Tunes a planned submission on its members' validation images, cross-fitted by patient.
 * Throws UserError where there are fewer patients than parts.
 */
export async function tune(plan: TunePlan, options: TuneOptions, terminal: Terminal): Promise<TuneResult> {
  const { submission, images, kinds, steps } = plan;
  const { seed, grid, size, signal } = options;
  const parts = cutParts(images, options.parts, seed);
  const bootstrap = createBootstrap(groupsOf(images), { seed });
  const weights = submission.members.map(({ weight }) => weight);
  const { average } = submission.postprocess;
  const tabulation = { kinds, size, average, terminal, signal };
  const scorePlain = async (stores: TuneStores) => {
    const tabulated = await tabulateStores(images, stores, { ...tabulation, kinds: [] })([weights], [PLAIN.threshold]);
    return scoreSetting(tabulated.get(weightKey(weights))!, PLAIN).dice;
  };
  const hasViews = submission.tta.join() !== 'none';
  const withoutViews = hasViews ? await withStores(plan, ['none'], options, scorePlain) : undefined;
  const lists = [[], ...steps.map((_, place) => steps.slice(0, place + 1))];
  const { fits, tabulated } = await withStores(plan, submission.tta, options, async (stores) => {
    const tabulate = tabulateStores(images, stores, tabulation);
    return await crossFit(lists, { tabulate, parts, weights, grid });
  });
  const names = [withoutViews === undefined ? ('plain' as const) : ('tta' as const), ...steps];
  const rows = fits.map(({ best, honest }, place) => ({
    ...{ step: names[place]!, dice: honest.dice, optimistic: best.mean },
  }));
  const first = withoutViews && { step: 'plain' as const, dice: withoutViews, optimistic: meanOf(withoutViews) };
  const ladder = first === undefined ? rows : [first, ...rows];
  const fit = fits.at(-1)!;
  const positive = images.map(({ truth }) => truth.length > 0);
  return {
    rungs: ladder.map(({ step, dice, optimistic }, place): Rung => {
      const before = ladder[place - 1];
      return { step, dice: bootstrap.mean(dice), optimistic, gain: before && bootstrap.difference(before.dice, dice) };
    }),
    fit,
    limits: findLimits(fit.honest, positive, bootstrap.mean),
    parts,
    dicePositive: bootstrap.mean(fit.honest.dice, positive),
    diceEmpty: bootstrap.mean(
      fit.honest.dice,
      positive.map((each) => !each),
    ),
    tabulated: tabulated.get(weightKey(fit.best.weights))!,
  };
}

/** Opens what the runs have stored of a list of views, or predicts it, for as long as it is used. */
async function withStores<T>(
  { members, gate }: TunePlan,
  tta: TunePlan['submission']['tta'],
  { source, signal }: TuneOptions,
  use: (stores: TuneStores) => Promise<T>,
): Promise<T> {
  const opened: ProbabilityStore[] = [];
  const open = async ({ member }: ResolvedMember) => {
    signal.throwIfAborted();
    const store = await source.probabilitiesOf(member, tta, 'oof');
    opened.push(store);
    return store;
  };
  try {
    const stores: ProbabilityStore[] = [];
    for (const member of members) stores.push(await open(member));
    return await use({ stores, gateStore: gate && (await open(gate)) });
  } finally {
    for (const store of opened) store.close();
  }
}

/** Parts of like numbers of images, positives and sizes of masks, a patient's images in one of them. */
function cutParts(images: readonly TuneImage[], count: number, seed: number): Int32Array {
  const groups = new Set(groupsOf(images)).size;
  if (groups < count) {
    throw new UserError(expected(`at least ${count} patients`, `tuning in ${count} parts`, groups));
  }
  const rows = drawFolds(
    images.map(({ id, patient, truth }) => ({
      ...{ id, patientId: patient, positive: truth.length > 0, maskArea: areaOfRuns(truth) },
    })),
    { k: count, group: 'patient', seed },
  );
  return Int32Array.from(rows, ({ fold }) => fold);
}

/** Images of a patient are one group; an image whose patient is unknown is its own. */
function groupsOf(images: readonly TuneImage[]): string[] {
  return images.map(({ id, patient }) => (patient === '' ? `image ${id}` : `patient ${patient}`));
}

function findLimits(
  { dice, ungated, predicted }: SettingScores,
  positive: readonly boolean[],
  estimate: (scores: Float64Array) => Estimate,
): Limits {
  return {
    perfect_gate: estimate(ungated.map((score, i) => (positive[i] ? score : 1))),
    perfect_segmenter: estimate(dice.map((score, i) => (positive[i] ? predicted[i]! : score))),
  };
}

function meanOf(scores: Float64Array): number {
  return sumOf([...scores]) / scores.length;
}
