import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { STAGE_FILES, STAGES, type Stage } from '../core/competition.ts';
import { type Labels, readLabelRows } from './labels.ts';

/** Ids that a stage's sample submission has more than once. */
export interface DoubledRows {
  stage: Stage;
  /** The sample's file name. */
  sample: string;
  /** In order of first appearance. */
  ids: string[];
  /** How many different ids the sample has. */
  images: number;
  /** How many of the doubled ones are positive and how many empty by the labels at hand; the rest is not labelled. */
  positive: number;
  empty: number;
}

/**
 * Looks for ids that a sample submission repeats. In the competition's early stage-1 sample 78 of 290 positives were
 * doubled and no negative was: whoever counts rows knows labels of the test set. It is flagged, and nothing here uses
 * it. A sample that is not there has none. Throws UserError where
 * one cannot be read.
 */
export async function findDoubledRows(root: string, labels: Labels): Promise<DoubledRows[]> {
  const found: DoubledRows[] = [];
  for (const stage of STAGES) {
    const { sample } = STAGE_FILES[stage];
    const path = join(root, sample);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (!there) continue;
    const counts = new Map<string, number>();
    for (const { id } of (await readLabelRows(path)).rows) counts.set(id, (counts.get(id) ?? 0) + 1);
    const ids = [...counts].filter(([, count]) => count > 1).map(([id]) => id);
    const known = ids.map((id) => labels.truth.get(id)).filter((truth) => truth !== undefined);
    const positive = known.filter((truth) => truth.length > 0).length;
    if (ids.length > 0) {
      found.push({ stage, sample, ids, images: counts.size, positive, empty: known.length - positive });
    }
  }
  return found;
}

/** The leak in one sentence. */
export function describeDoubledRows({ sample, ids, images, positive, empty }: DoubledRows): string {
  const known =
    positive + empty === 0 ? '' : `; by the labels here ${positive} of them are positive and ${empty} empty`;
  return (
    `${sample} has ${ids.length} of its ${images} images more than once${known}. ` +
    'In the early stage-1 sample only positives were doubled: a leak of test labels. Nothing uses it.'
  );
}
