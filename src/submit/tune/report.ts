import type { SubmissionMember } from '../../config/submission.ts';
import type { Estimate } from '../../metrics/bootstrap.ts';
import { sumOf } from '../../metrics/sum.ts';
import type { PostprocessConfig } from '../../postprocess/index.ts';
import type { ResolvedMember } from '../members.ts';
import type { TunePlan } from './plan.ts';
import { lookAround, type Plateau } from './plateau.ts';
import { toPostprocess } from './setting.ts';
import type { Grid } from './space.ts';
import type { Limits, Rung, TuneResult } from './tune.ts';

/** What `reports/tune-<name>.json` holds; see docs/reference/files.md. */
export interface TuneReport {
  format: 1;
  name: string;
  images: number;
  positives: number;
  patients: number;
  tta: readonly string[];
  members: NamedRun[];
  gate?: NamedRun;
  steps: readonly string[];
  seed: number;
  /** What was found on all images. */
  weights: readonly number[];
  postprocess: TunedPostprocess;
  /** Cross-fitted, by patient. */
  dice: Estimate;
  dice_positive: Estimate;
  dice_empty: Estimate;
  /** Of the setting above on the images that it was found on. */
  optimistic: number;
  rungs: Rung[];
  limits: Limits;
  /** What was found without each part, and what it scores on that part. */
  parts: { images: number; dice: number; weights: readonly number[]; postprocess: TunedPostprocess }[];
  plateau: Plateau;
}

/** Post-processing as a submission declares it, a gate by another run named. */
export type TunedPostprocess = Omit<PostprocessConfig, 'gate'> & {
  gate?: NonNullable<PostprocessConfig['gate']> & Partial<Pick<SubmissionMember, 'run' | 'checkpoint'>>;
};

interface NamedRun {
  run: string;
  run_id: string;
  checkpoint: string;
  checkpoint_id: string;
  checkpoint_sha256: string;
  data_digest: string;
}

export interface ReportOptions {
  name: string;
  seed: number;
  grid: Grid;
}

/** Puts together what tuning found. */
export function tuneReport(plan: TunePlan, result: TuneResult, { name, seed, grid }: ReportOptions): TuneReport {
  const { submission, members, gate, images, kinds, steps } = plan;
  const { fit, rungs, limits, parts, dicePositive, diceEmpty, tabulated } = result;
  const postprocessOf = (setting: (typeof fit.best)['setting']): TunedPostprocess => {
    const { gate: tuned, ...masks } = toPostprocess(setting, kinds, submission.postprocess.average);
    if (tuned === undefined) return masks;
    const by = gate === undefined ? {} : { run: gate.member.run, checkpoint: gate.member.checkpoint };
    return { gate: { ...by, ...tuned }, ...masks };
  };
  const known = images.filter(({ patient }) => patient !== '').map(({ patient }) => patient);
  return {
    ...{ format: 1, name, images: images.length },
    positives: images.filter(({ truth }) => truth.length > 0).length,
    patients: new Set(known).size,
    tta: submission.tta,
    members: members.map(nameRun),
    ...(gate === undefined ? {} : { gate: nameRun(gate) }),
    ...{ steps, seed, weights: fit.best.weights, postprocess: postprocessOf(fit.best.setting) },
    dice: rungs.at(-1)!.dice,
    ...{ dice_positive: dicePositive, dice_empty: diceEmpty, optimistic: fit.best.mean, rungs, limits },
    parts: fit.withoutPart.map(({ weights, setting }, part) => {
      const dice = [...fit.honest.dice].filter((_, image) => parts[image] === part);
      return { images: dice.length, dice: sumOf(dice) / dice.length, weights, postprocess: postprocessOf(setting) };
    }),
    plateau: lookAround(tabulated, fit.best.setting, grid),
  };
}

function nameRun({ member, run }: ResolvedMember): NamedRun {
  return {
    ...{ run: member.run, run_id: run.run_id, checkpoint: member.checkpoint, checkpoint_id: run.checkpoint_id },
    ...{ checkpoint_sha256: run.checkpoint_sha256, data_digest: run.data_digest },
  };
}

/** Steps that cross-fitted gain nothing over those before them; of the others a tuning alone would do as well, or better. */
export function idleSteps({ rungs, steps }: Pick<TuneReport, 'rungs' | 'steps'>): { idle: string[]; others: string[] } {
  const idle: string[] = rungs.flatMap(({ step, gain }) => {
    return steps.includes(step) && gain !== undefined && gain.mean <= 0 ? [step] : [];
  });
  return { idle, others: steps.filter((step) => !idle.includes(step)) };
}
