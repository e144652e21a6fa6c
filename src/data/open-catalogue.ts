import { stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Stage } from '../core/competition.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { type CatalogueRow, readCatalogue } from './catalogue.ts';
import { findImages } from './find-images.ts';
import { findLabelFile, joinLabels, readLabelsOf } from './join-labels.ts';
import type { Labels } from './labels.ts';

/** A catalogue with today's labels. */
export interface LabelledCatalogue {
  /** In the catalogue's order, quarantined ones included. */
  rows: CatalogueRow[];
  labels: Labels;
}

/**
 * Reads a data root's catalogue and its label file, and warns where the labels are others than ingest saw.
 * Throws UserError where there is no catalogue, or where image files came, went or changed size since (a root without
 * any image file is fine: its pixel cache may have travelled alone).
 * @param options.stage whose labels; those that the catalogue was made with when left out.
 */
export async function openCatalogue(
  { root, stage }: { root: string; stage?: Stage },
  terminal: Terminal,
): Promise<LabelledCatalogue> {
  const ingested = await readCatalogue(root);
  await requireSameFiles(root, ingested);
  const labelFile = await findLabelFile(root, stage ?? stageOf(ingested));
  const labels = await readLabelsOf(labelFile);
  const rows = joinLabels(ingested, labels);
  const changed = rows.filter((row, index) => differs(row, ingested[index]!)).length;
  if (changed > 0) {
    const name = labelFile === undefined ? 'No label file' : basename(labelFile.path);
    terminal.warn(`${name}: the labels of ${changed} images are not those of catalogue.csv; the label file counts.`);
  }
  return { rows, labels };
}

/** Only stage 2's label file has labels for stage 1's test images. */
function stageOf(rows: readonly CatalogueRow[]): Stage | undefined {
  return rows.some((row) => row.set === 'stage1-test' && row.labelled) ? 2 : undefined;
}

function differs(a: CatalogueRow, b: CatalogueRow): boolean {
  return a.labelled !== b.labelled || a.maskArea !== b.maskArea || a.rleRows !== b.rleRows;
}

async function requireSameFiles(root: string, rows: readonly CatalogueRow[]): Promise<void> {
  const found = await findImages(root);
  if (found.length === 0) return;
  const sizes = new Map(rows.map(({ file, bytes }) => [file, bytes]));
  const added = found.filter(({ file }) => !sizes.has(file));
  const present = found.filter(({ file }) => sizes.has(file));
  const now = await Promise.all(present.map(async ({ file, bytes }) => bytes ?? (await stat(join(root, file))).size));
  const resized = present.filter(({ file }, index) => sizes.get(file) !== now[index]);
  const gone = rows.length - present.length;
  if (added.length + resized.length + gone === 0) return;
  throw new UserError(
    `The image files in ${root} changed since they were catalogued: ${added.length} new, ${gone} gone, ` +
      `${resized.length} of another size. Run \`npm run ingest data=${root}\` again.`,
  );
}
