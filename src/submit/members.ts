import type { Submission, SubmissionMember } from '../config/submission.ts';
import { expected, UserError } from '../core/errors.ts';
import type { MemberRun, ProbabilitySource, TruthImage } from '../predict/probability-source.ts';

/** A member with the run behind it. */
export interface ResolvedMember {
  member: SubmissionMember;
  run: MemberRun;
}

/** Finds the run behind every member. Throws UserError where one is missing or where they are of several data roots. */
export async function resolveMembers(submission: Submission, source: ProbabilitySource): Promise<ResolvedMember[]> {
  const resolved: ResolvedMember[] = [];
  for (const member of submission.members) resolved.push({ member, run: await source.describe(member) });
  const seen = new Set<string>();
  for (const { run } of resolved) {
    const key = `${run.run_id}, ${run.checkpoint_id}`;
    if (seen.has(key)) throw new UserError(expected('each checkpoint once', 'members', key, 'Use `weight` instead.'));
    seen.add(key);
  }
  const root = resolved[0]!.run.data_root;
  const other = resolved.find(({ run }) => run.data_root !== root);
  if (other === undefined) return resolved;
  throw new UserError(expected(`runs on one data root (${root})`, other.run.run_id, other.run.data_root));
}

/**
 * The validation images that all members share, in the first one's order.
 * Throws UserError where members were validated on other images: such an ensemble has none to be scored on.
 */
export async function sharedValidation(
  members: readonly ResolvedMember[],
  source: ProbabilitySource,
): Promise<readonly TruthImage[]> {
  const [first, ...others] = members;
  const images = await source.validationOf(first!.member);
  for (const { member, run } of others) {
    const ids = new Set((await source.validationOf(member)).map(({ id }) => id));
    const missing = images.filter(({ id }) => !ids.has(id)).length;
    if (missing === 0 && ids.size === images.length) continue;
    const what = `the ${images.length} validation images of ${first!.run.run_id}`;
    const next = 'stage=oof scores members that share their validation images.';
    throw new UserError(expected(what, run.run_id, `${ids.size} of which ${images.length - missing} are shared`, next));
  }
  return images;
}
