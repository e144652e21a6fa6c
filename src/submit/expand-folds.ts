import type { Submission, SubmissionMember } from '../config/submission.ts';
import { expected, UserError } from '../core/errors.ts';
import { foldsOf } from '../tracking/folds-of.ts';
import { findRun, listRuns } from '../tracking/runs.ts';

/**
 * A submission whose members that are runs of all folds (`data.fold=all`) are replaced by the runs of these folds, each with its share
 * of the weight. Throws UserError where a fold has not finished.
 */
export async function expandFolds<S extends Pick<Submission, 'members'>>(submission: S, runsDir: string): Promise<S> {
  const members: SubmissionMember[] = [];
  for (const member of submission.members) members.push(...(await expand(member, runsDir)));
  return { ...submission, members };
}

async function expand(member: SubmissionMember, runsDir: string): Promise<SubmissionMember[]> {
  const run = await findRun(runsDir, member.run);
  const children = [...foldsOf(run.record).values()];
  if (children.length === 0) return [member];
  const runs = await listRuns(runsDir);
  const unfinished = children.filter((id) => runs.find(({ run_id }) => run_id === id)?.status !== 'FINISHED');
  if (unfinished.length > 0 || run.status !== 'FINISHED') {
    const next = 'Go on with them: npm run exp … data.fold=all resume=last.';
    throw new UserError(expected(`all folds of ${run.run_id} to have finished`, 'members', unfinished, next));
  }
  return children.map((id) => ({ ...member, run: id, weight: member.weight / children.length }));
}
