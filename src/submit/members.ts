import {
  gateMember,
  type Submission,
  type SubmissionMember,
  type SubmissionPostprocess,
} from '../config/submission.ts';
import { expected, UserError } from '../core/errors.ts';
import type { MemberRun, ProbabilitySource, TruthImage } from '../predict/probability-source.ts';

/** A member with the run behind it. */
export interface ResolvedMember {
  member: SubmissionMember;
  run: MemberRun;
}

/** The runs behind a submission. */
export interface ResolvedMembers {
  members: ResolvedMember[];
  /** The run whose evidence the gate looks at, where it is not the members'. */
  gate: ResolvedMember | undefined;
}

/**
 * Finds the run behind every member and behind the gate. Throws UserError where one is missing, where they are of several
 * data roots, and where the gate asks for presence that no network knows of.
 */
export async function resolveRuns(submission: Submission, source: ProbabilitySource): Promise<ResolvedMembers> {
  const members = await resolveMembers(submission, source);
  const member = gateMember(submission);
  const gate = member && { member, run: await source.describe(member) };
  requireRoot(members[0]!, gate === undefined ? members : [...members, gate]);
  requirePresence(gate === undefined ? members : [gate], submission.postprocess);
  return { members, gate };
}

async function resolveMembers(submission: Submission, source: ProbabilitySource): Promise<ResolvedMember[]> {
  const resolved: ResolvedMember[] = [];
  for (const member of submission.members) resolved.push({ member, run: await source.describe(member) });
  const seen = new Set<string>();
  for (const { run } of resolved) {
    const key = `${run.run_id}, ${run.checkpoint_id}`;
    if (seen.has(key)) throw new UserError(expected('each checkpoint once', 'members', key, 'Use `weight` instead.'));
    seen.add(key);
  }
  return resolved;
}

function requireRoot({ run: { data_root: root } }: ResolvedMember, all: readonly ResolvedMember[]): void {
  const other = all.find(({ run }) => run.data_root !== root);
  if (other === undefined) return;
  throw new UserError(expected(`runs on one data root (${root})`, other.run.run_id, other.run.data_root));
}

/** Presence is known to networks with such a head: with several members, to those that have one. */
function requirePresence(asked: readonly ResolvedMember[], { gate }: SubmissionPostprocess): void {
  if (gate?.statistic !== 'presence' || asked.some(({ run }) => run.presence_head)) return;
  const what = 'a run trained with model.presence_head';
  const next = 'Name a statistic of its probabilities (max, top_mean or sum), or leave the gate out.';
  throw new UserError(expected(what, `postprocess.gate (${gate.threshold})`, 'none', next));
}

/**
 * The validation images on which as many members have a word as on any other: those that all members share, or of runs of folds all
 * images, each with the members that did not see it. Throws UserError where some images have more members than others: such an
 * ensemble has none to be scored on.
 */
export async function sharedValidation(
  members: readonly ResolvedMember[],
  source: ProbabilitySource,
): Promise<readonly TruthImage[]> {
  const validations: { run: MemberRun; images: readonly TruthImage[] }[] = [];
  for (const { member, run } of members) validations.push({ run, images: await source.validationOf(member) });
  const images = new Map<string, TruthImage & { members: number }>();
  for (const image of validations.flatMap((each) => each.images)) {
    images.set(image.id, { ...image, members: (images.get(image.id)?.members ?? 0) + 1 });
  }
  const counts = new Set([...images.values()].map((image) => image.members));
  if (counts.size <= 1) return [...images.values()];
  const [first, ...others] = validations;
  const known = new Set(first!.images.map(({ id }) => id));
  const sharedBy = ({ images: own }: (typeof validations)[number]) => own.filter(({ id }) => known.has(id)).length;
  const other = others.find((each) => sharedBy(each) < Math.max(known.size, each.images.length))!;
  const what = `the ${known.size} validation images of ${first!.run.run_id}`;
  const next = 'stage=oof scores members that share their validation images, and whole sets of folds.';
  throw new UserError(
    expected(what, other.run.run_id, `${other.images.length} of which ${sharedBy(other)} are shared`, next),
  );
}

/** What was otherwise when the post-processing was tuned, as a sentence; undefined where nothing was, or nothing was tuned. */
export function tunedOtherwise({ tuned, tta }: Submission, members: readonly ResolvedMember[]): string | undefined {
  if (tuned === undefined) return undefined;
  const checkpoints = members.map(({ run }) => run.checkpoint_sha256);
  const others = [
    checkpoints.join() === tuned.checkpoints.join() ? '' : 'other checkpoints',
    [...tta].sort().join() === [...tuned.tta].sort().join() ? '' : `the views ${tuned.tta.join(', ')}`,
  ].filter((other) => other !== '');
  if (others.length === 0) return undefined;
  return `${tuned.file} was tuned on ${others.join(' and ')}: its thresholds may not fit these members.`;
}
