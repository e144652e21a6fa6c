import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { openJournal } from '../tracking/journal.ts';
import { lockRun } from '../train/run-folder.ts';
import { type BuiltFiles, type KaggleScores, recordScores } from './submission-files.ts';

/**
 * Writes a submission's scores down: beside its manifest, and as tags into the journals of its members' runs, from where
 * `npm run sync` brings them to MLflow. Returns the runs that were tagged; one that is gone or just training is named and left out.
 */
export async function recordEverywhere(
  submission: BuiltFiles,
  scores: KaggleScores,
  { runsDir, now }: { runsDir: string; now: Date },
  terminal: Terminal,
): Promise<string[]> {
  const known = await recordScores(submission, scores, now);
  const tagged: string[] = [];
  const { members } = submission.manifest;
  for (const run of new Set(members.map(({ run_id }) => run_id))) {
    const dir = join(runsDir, run);
    if (!existsSync(dir)) {
      terminal.warn(`${run} is not under ${runsDir}: it gets no tag.`);
      continue;
    }
    try {
      const release = await lockRun(dir);
      const journal = await openJournal(dir);
      journal.tags(tagsOf(submission, known, members.length === 1));
      journal.close();
      await release();
      tagged.push(run);
    } catch (error) {
      terminal.warn(`${run} gets no tag: ${messageOf(error)}`);
    }
  }
  return tagged;
}

/** One tag for each submission; of a run that was sent alone also one for each score, so that MLflow can sort by it. */
function tagsOf({ id }: BuiltFiles, scores: KaggleScores, alone: boolean): Record<string, string> {
  const parts = Object.entries(scores).map(([board, score]) => [board, String(score)] as const);
  const own = alone ? Object.fromEntries(parts.map(([board, score]) => [`leaderboard.${board}`, score])) : {};
  return { [`submission.${id}`]: parts.map(([board, score]) => `${board} ${score}`).join(', '), ...own };
}
