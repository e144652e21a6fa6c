import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Submission } from '../config/submission.ts';
import { STAGE_FILES, type Stage } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import type { PredictionTarget, ProbabilitySource, TruthImage } from '../predict/probability-source.ts';
import { readWanted, type WantedRows } from './check.ts';
import { type ResolvedMember, type ResolvedMembers, resolveRuns, sharedValidation } from './members.ts';

/** What a submission is for: a stage of the competition, or the runs' own validation images. */
export type SubmissionStage = Stage | 'oof';

/** Everything that is known before the first prediction. */
export interface SubmissionPlan extends ResolvedMembers {
  submission: Submission;
  stage: SubmissionStage;
  target: PredictionTarget;
  /** UTC: `20190901-101500`. */
  stamp: string;
  wanted: WantedRows;
  /** The stage's sample submission; undefined out of fold. */
  sample: string | undefined;
  /** The truth of the validation images; undefined for a stage. */
  truth: readonly TruthImage[] | undefined;
  files: SubmissionFiles;
}

/** Absolute paths. */
export interface SubmissionFiles {
  csv: string;
  manifest: string;
  zip: string;
}

/** Where probabilities come from and files go. */
export interface PlanOptions {
  source: ProbabilitySource;
  /** The folder `submissions/`, absolute. */
  folder: string;
  stamp: string;
}

/**
 * Finds the members' runs and the rows to write, and touches nothing. Throws UserError where a run, a checkpoint or the
 * sample is missing, where a gate is asked for that no member's network has, and where a file of that name exists.
 */
export async function planSubmission(
  submission: Submission,
  stage: SubmissionStage,
  { source, folder, stamp }: PlanOptions,
): Promise<SubmissionPlan> {
  const files = nameFiles(submission, stage, folder, stamp);
  const { members, gate } = await resolveRuns(submission, source);
  const common = { submission, stage, stamp, members, gate, files };
  if (stage === 'oof') {
    const all: ResolvedMember[] = gate === undefined ? members : [...members, gate];
    const truth = await sharedValidation(all, source);
    const rows = truth.map(({ id }, index) => ({ id, line: index + 1 }));
    const wanted = { name: `the validation images of ${members[0]!.run.run_id}`, rows };
    return { ...common, target: 'oof', wanted, truth, sample: undefined };
  }
  const sample = join(members[0]!.run.data_root, STAGE_FILES[stage].sample);
  return { ...common, target: `stage${stage}`, wanted: await readWanted(sample), sample, truth: undefined };
}

/** The stamp of a moment, in UTC and to the second. */
export function makeStamp(now: Date): string {
  return now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
}

/** Reads `stamp=`. Throws UserError where it is not eight digits, a hyphen and six digits. */
export function readStamp(text: string): string {
  if (/^\d{8}-\d{6}$/.test(text)) return text;
  throw new UserError(expected('a time in UTC like 20190901-101500', 'stamp', text));
}

function nameFiles({ name }: Submission, stage: SubmissionStage, folder: string, stamp: string): SubmissionFiles {
  const base = join(folder, `${stamp}-${name}-${stage === 'oof' ? 'oof' : `stage${stage}`}`);
  const files = { csv: `${base}.csv`, manifest: `${base}.manifest.json`, zip: `${base}.zip` };
  refuseExisting(files);
  return files;
}

/** Throws UserError where one of the files is there. */
export function refuseExisting(files: SubmissionFiles): void {
  const existing = Object.values(files).find((path) => existsSync(path));
  if (existing === undefined) return;
  throw new UserError(`${existing} exists, and a submission is never overwritten. Choose another name or stamp.`);
}
