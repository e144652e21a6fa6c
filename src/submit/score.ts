import { UserError } from '../core/errors.ts';
import { type LabelRow, readLabels } from '../data/labels.ts';
import { type ImageScore, type ScoreSummary, scoreImage, summariseScores } from '../metrics/dice.ts';
import { readSubmission } from './check.ts';

/** What a submission scores. */
export interface SubmissionScore extends ScoreSummary {
  /** Images of the submission that the truth does not know. */
  skipped: number;
}

/** How many images without truth are named. */
const NAMED = 5;

/**
 * The competition's metric of a submission, over its own images: per image on the union of its rows and of the truth's.
 * Throws UserError where an image has no truth and `strict` holds, where none has, and for files that cannot be read.
 */
export async function scoreSubmission(csv: string, truthFile: string, strict: boolean): Promise<SubmissionScore> {
  const { rows, masks } = await readSubmission(csv);
  const { truth } = await readLabels(truthFile);
  const unknown = rows.filter(({ id }) => !truth.has(id));
  if (strict && unknown.length > 0) throw new UserError(sayUnknown(csv, truthFile, unknown));
  const scores = [...masks].flatMap(([id, mask]): ImageScore[] => {
    const wanted = truth.get(id);
    return wanted === undefined ? [] : [scoreImage(id, mask, wanted)];
  });
  if (scores.length === 0) throw new UserError(`${truthFile} has none of the ${masks.size} images of ${csv}.`);
  return { ...summariseScores(scores), skipped: masks.size - scores.length };
}

function sayUnknown(csv: string, truthFile: string, unknown: readonly LabelRow[]): string {
  const named = unknown.slice(0, NAMED).map(({ id, line }) => `${csv}:${line} ${id}`);
  const more = unknown.length > NAMED ? `, … (${unknown.length} rows)` : '';
  return (
    `Expected a row in ${truthFile} for every image but found none for ${named.join(', ')}${more}. ` +
    'strict=false leaves such images out.'
  );
}
