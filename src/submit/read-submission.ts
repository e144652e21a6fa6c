import { messageOf, UserError } from '../core/errors.ts';
import { parseRle, type Runs, uniteRuns } from '../core/rle.ts';
import { type LabelRow, type RowProblem, readAnyRows } from '../data/labels.ts';

/** A submission's rows, and per image the union of its masks. */
export interface SubmissionRows {
  rows: LabelRow[];
  masks: Map<string, Runs>;
}

/**
 * Reads a submission in any of the competition's dialects, whoever wrote it: rows that are none, and codes that are none or
 * leave the image, are problems; an image with one of them has no mask. Throws UserError where the file cannot be read.
 */
export async function readAnySubmission(path: string): Promise<SubmissionRows & { problems: RowProblem[] }> {
  const { rows, problems, damage } = await readAnyRows(path);
  const parts = new Map<string, Runs[]>();
  const broken = new Set(problems.map(({ id }) => id));
  for (const { id, rle, line } of rows) {
    try {
      const runs = parseRle(rle, `${path}:${line}`);
      const others = parts.get(id);
      if (others === undefined) parts.set(id, [runs]);
      else others.push(runs);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.push({ line, id, sentence: messageOf(error) });
      broken.add(id);
    }
  }
  if (damage !== undefined && problems.length === 0) throw damage;
  const whole = [...parts].filter(([id]) => !broken.has(id));
  problems.sort((a, b) => a.line - b.line);
  return { rows, problems, masks: new Map(whole.map(([id, runs]) => [id, uniteRuns(runs)])) };
}
