import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { resolvePath } from '../config/paths.ts';
import { sha256File } from '../core/atomic-file.ts';
import { LABEL_FILES } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import { findLabelFile } from '../data/join-labels.ts';
import type { ImageScore } from '../metrics/dice.ts';
import { readImageScores, writeImageScores } from '../predict/image-scores.ts';
import { readTruth, scoreSubmission } from '../submit/score.ts';
import type { RunSummary } from '../tracking/runs.ts';
import { type BuiltFiles, csvPath } from './submission-files.ts';

/** What each image of a submission scores, where the truth is known. */
export type OfflineScores = (submission: BuiltFiles) => Promise<ImageScore[] | undefined>;

/**
 * Scores submissions whose truth lies in the data of their members' runs: stage 1's came with stage 2, and out of fold it is the
 * labels themselves. What was scored is kept under the runs, by the digests of the CSV and of the truth, so it is never of others.
 * @param truthFile of stage 2, which nobody has before its end; undefined where it is not given.
 */
export function offlineScores(
  runs: readonly RunSummary[],
  { cwd, runsDir, truthFile }: { cwd: string; runsDir: string; truthFile: string | undefined },
): OfflineScores {
  const byId = new Map(runs.map((run) => [run.run_id, run]));
  const digests = new Map<string, Promise<string>>();
  const truths = new Map<string, ReturnType<typeof readTruth>>();
  const once = <T>(known: Map<string, Promise<T>>, path: string, make: (path: string) => Promise<T>) => {
    const made = known.get(path) ?? make(path);
    known.set(path, made);
    return made;
  };
  return async (submission) => {
    const truth = await findTruth(submission, byId, cwd, truthFile);
    const csv = csvPath(submission);
    if (truth === undefined || !existsSync(csv)) return undefined;
    const { sha256 } = submission.manifest.csv;
    const kept = `${sha256.slice(0, 32)}-${(await once(digests, truth, sha256File)).slice(0, 16)}.scores.json`;
    const path = join(runsDir, 'submissions', kept);
    const known = await readImageScores(path);
    if (known !== undefined) return known.images;
    if ((await sha256File(csv)) !== sha256) {
      throw new UserError(
        expected('the CSV that its manifest speaks of', csv, 'another one', 'Bring it back, or build it anew.'),
      );
    }
    const { images } = await scoreSubmission(csv, { strict: false, truth: await once(truths, truth, readTruth) });
    await writeImageScores(path, { checkpoint: sha256, images });
    return images;
  };
}

async function findTruth(
  { manifest: { stage, members } }: BuiltFiles,
  runs: ReadonlyMap<string, RunSummary>,
  cwd: string,
  truthFile: string | undefined,
): Promise<string | undefined> {
  if (stage === 2) return truthFile;
  const root = members
    .map(({ run_id }) => runs.get(run_id)?.record.params['data.root'])
    .find((each) => each !== undefined);
  if (root === undefined) return undefined;
  const data = resolvePath(root, cwd);
  if (stage === 'oof') return (await findLabelFile(data))?.path;
  const path = join(data, LABEL_FILES[2]);
  return existsSync(path) ? path : undefined;
}
