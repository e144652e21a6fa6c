import type { Submission, SubmissionMember } from '../config/submission.ts';
import { expected, UserError } from '../core/errors.ts';
import { findRun, listRuns, type RunSummary } from '../tracking/runs.ts';

/**
 * A submission whose members that are runs of all folds (`data.fold=all`) are replaced by the runs of these folds, each with its share
 * of the weight. Throws UserError where a fold has not finished.
 */
export async function expandFolds<S extends Pick<Submission, 'members'>>(submission: S, runsDir: string): Promise<S> {
  const members: SubmissionMember[] = [];
  for (const member of submission.members) members.push(...(await foldsOf(member, runsDir)));
  return { ...submission, members };
}

async function foldsOf(member: SubmissionMember, runsDir: string): Promise<SubmissionMember[]> {
  const run = await findRun(runsDir, member.run);
  const children = childIds(run);
  if (children.length === 0) return [member];
  const runs = await listRuns(runsDir);
  const unfinished = children.filter((id) => runs.find(({ run_id }) => run_id === id)?.status !== 'FINISHED');
  if (unfinished.length > 0 || run.status !== 'FINISHED') {
    const next = 'Go on with them: npm run exp … data.fold=all resume=last.';
    throw new UserError(expected(`all folds of ${run.run_id} to have finished`, 'members', unfinished, next));
  }
  return children.map((id) => ({ ...member, run: id, weight: member.weight / children.length }));
}

/** The runs of a run's folds, by fold; none where it trained itself. */
function childIds({ record }: RunSummary): string[] {
  return Object.entries(record.tags)
    .flatMap(([key, id]) => {
      const fold = /^fold\.(\d+)$/.exec(key)?.[1];
      return fold === undefined ? [] : [{ fold: Number(fold), id }];
    })
    .sort((a, b) => a.fold - b.fold)
    .map(({ id }) => id);
}
