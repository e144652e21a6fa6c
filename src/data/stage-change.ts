import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { LABEL_FILES } from '../core/competition.ts';
import { formatRle } from '../core/rle.ts';
import type { CatalogueRow } from './catalogue.ts';
import { type Labels, readLabels } from './labels.ts';

/** What stage 2's labels change for the images at hand, against stage 1's. */
export interface StageChange {
  /** Stage 1's test images that have a label now, and how many of them are positive. */
  fromTest: number;
  fromTestPositive: number;
  /** Images labelled in both stages whose mask is another now. */
  relabelled: string[];
  /** Images that had a label in stage 1 and have none now. */
  lost: string[];
  labelledBefore: number;
  labelledNow: number;
  positivesBefore: number;
  positivesNow: number;
}

/** Compares stage 2's labels with stage 1's; undefined where stage 1's label file is not there. */
export async function compareStages(
  root: string,
  rows: readonly CatalogueRow[],
  now: Labels,
): Promise<StageChange | undefined> {
  const path = join(root, LABEL_FILES[1]);
  const there = await access(path).then(
    () => true,
    () => false,
  );
  if (!there) return undefined;
  const before = await readLabels(path);
  const usable = rows.filter((row) => row.quarantined === '');
  const isPositive = (labels: Labels, id: string) => (labels.truth.get(id)?.length ?? 0) > 0;
  const labelled = (labels: Labels) => usable.filter(({ imageId }) => labels.truth.has(imageId));
  const positives = (labels: Labels) => usable.filter(({ imageId }) => isPositive(labels, imageId)).length;
  const fromTest = labelled(now).filter(({ imageId, set }) => set === 'stage1-test' && !before.truth.has(imageId));
  const ids = labelled(before).map(({ imageId }) => imageId);
  const code = (labels: Labels, id: string) => formatRle(labels.truth.get(id)!);
  return {
    fromTest: fromTest.length,
    fromTestPositive: fromTest.filter(({ imageId }) => isPositive(now, imageId)).length,
    relabelled: ids.filter((id) => now.truth.has(id) && code(before, id) !== code(now, id)),
    lost: ids.filter((id) => !now.truth.has(id)),
    labelledBefore: ids.length,
    labelledNow: labelled(now).length,
    positivesBefore: positives(before),
    positivesNow: positives(now),
  };
}

/** The change in sentences, for the terminal and the report. */
export function describeStageChange(change: StageChange): string[] {
  const { fromTest, fromTestPositive, relabelled, lost } = change;
  const lines = [
    `${fromTest} images of stage 1's test set are training data now, ${fromTestPositive} of them positive`,
    `labelled ${change.labelledBefore} → ${change.labelledNow}, positive ${change.positivesBefore} → ${change.positivesNow}`,
    `${relabelled.length} images have another mask than in stage 1${listed(relabelled)}`,
  ];
  if (lost.length > 0) lines.push(`${lost.length} images lost their label${listed(lost)}`);
  return lines;
}

function listed(ids: readonly string[]): string {
  if (ids.length === 0) return '';
  return `: ${ids.slice(0, 3).join(', ')}${ids.length > 3 ? ', …' : ''}`;
}
