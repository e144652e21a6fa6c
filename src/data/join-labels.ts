import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { EMPTY_RLE, LABEL_FILES, STAGES, type Stage } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import { areaOfRuns } from '../core/rle.ts';
import type { CatalogueRow } from './catalogue.ts';
import { type Labels, readLabels } from './labels.ts';
import { MASK_LABELS } from './mask-labels.ts';

/** A label file and the stage that it came with. */
export interface LabelFile {
  path: string;
  stage: Stage;
}

/**
 * Finds the label file under a data root: the asked stage's, else stage 1's, else stage 2's, else the one that ingest
 * made of mask pictures; undefined where there is none and none was asked for. Throws UserError where the asked one is
 * missing.
 */
export async function findLabelFile(root: string, stage?: Stage): Promise<LabelFile | undefined> {
  const names = (stage === undefined ? STAGES : [stage]).map((each) => ({ name: LABEL_FILES[each], stage: each }));
  if (stage === undefined) names.push({ name: MASK_LABELS, stage: 1 });
  for (const { name, stage: of } of names) {
    const path = join(root, name);
    const there = await access(path).then(
      () => true,
      () => false,
    );
    if (there) return { path, stage: of };
  }
  if (stage === undefined) return undefined;
  throw new UserError(expected(`stage ${stage}'s label file`, join(root, LABEL_FILES[stage]), 'no such file'));
}

/** Reads a data root's labels; none at all where it has no label file. */
export async function readLabelsOf(labelFile: LabelFile | undefined): Promise<Labels> {
  return labelFile === undefined ? { dialect: '', rows: [], truth: new Map() } : await readLabels(labelFile.path);
}

/** The rows with their label columns filled in from the labels, whatever stood there before. */
export function joinLabels(rows: readonly CatalogueRow[], labels: Labels): CatalogueRow[] {
  const counts = new Map<string, number>();
  for (const { id } of labels.rows) counts.set(id, (counts.get(id) ?? 0) + 1);
  return rows.map((row) => {
    const truth = labels.truth.get(row.imageId);
    const maskArea = truth === undefined ? 0 : areaOfRuns(truth);
    const rleRows = counts.get(row.imageId) ?? 0;
    return { ...row, labelled: truth !== undefined, positive: maskArea > 0, maskArea, rleRows };
  });
}

/** The ids that have an empty row and a mask: the mask counts, but somebody should know. */
export function contradictoryIds(labels: Labels): Set<string> {
  const empty = labels.rows.filter(({ rle }) => rle === EMPTY_RLE).map(({ id }) => id);
  return new Set(empty.filter((id) => labels.truth.get(id)!.length > 0));
}
