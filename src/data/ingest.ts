import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
// On Linux sharp must be loaded by the main thread before any worker thread loads it (sharp's installation notes).
import 'sharp';
import type { Stage } from '../core/competition.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { mapInWorkers } from '../core/worker-pool.ts';
import { type CatalogueRow, cataloguePath, writeCatalogue } from './catalogue.ts';
import { writingTo } from './disk.ts';
import { findImages, type ImageFile, noImages } from './find-images.ts';
import type { Inspection } from './inspect-image.ts';
import type { InspectTask } from './inspect-worker.ts';
import { contradictoryIds, findLabelFile, joinLabels, type LabelFile, readLabelsOf } from './join-labels.ts';
import type { Labels } from './labels.ts';
import { ensurePixelCache } from './pixel-cache.ts';

export interface IngestOptions {
  root: string;
  /** Builds the pixel cache at this side too; without it the first run that needs one builds it. */
  resolution?: number;
  /** Whose labels; stage 1's when left out, or stage 2's where only those are there. */
  stage?: Stage;
  /** Stop at the first file that cannot be used instead of setting it aside. */
  strict?: boolean;
  /** Threads; as many as the machine runs at once when left out. */
  workers?: number;
  /** Stops the work when aborted. */
  signal?: AbortSignal;
}

/** What ingest found. Every file is in exactly one of labelled, unlabelled and quarantined. */
export interface IngestReport {
  catalogue: string;
  rows: CatalogueRow[];
  labelFile: LabelFile | undefined;
  dialect: string;
  /** Ids of the label file that no image file has. */
  withoutImage: string[];
  /** Path of the pixel cache; '' when none was asked for. */
  cache: string;
}

/**
 * Opens, verifies and decodes every image file of a download on all cores, joins the labels, and writes
 * `<root>/catalogue.csv` in one step, then the pixel cache where a resolution is given. A file that cannot be used is
 * quarantined with its reason.
 * Throws UserError, with nothing written, where there is no image, no image is usable, labels are wrong, the disk
 * refuses, or (strict) any file cannot be used.
 */
export async function ingest(options: IngestOptions, terminal: Terminal): Promise<IngestReport> {
  const { root, resolution, strict = false } = options;
  const pool = poolOptions(options);
  const files = await findImages(root);
  if (files.length === 0) throw await noImages(root);
  await writingTo(cataloguePath(root), () => access(root, constants.W_OK));
  const labelFile = await findLabelFile(root, options.stage);
  const labels = await readLabelsOf(labelFile);
  const inspections = await inspectAll(root, files, { strict, pool }, terminal);
  const rows = catalogueRows(files, inspections, labels);
  requireSomeUsable(rows);
  await writingTo(cataloguePath(root), () => writeCatalogue(root, rows));
  const report = { catalogue: cataloguePath(root), rows, labelFile, dialect: labels.dialect, cache: '' };
  const known = new Set(files.map(({ imageId }) => imageId));
  const withoutImage = [...labels.truth.keys()].filter((id) => !known.has(id));
  if (resolution === undefined) return { ...report, withoutImage };
  const sources = rows.filter((row) => row.quarantined === '');
  const cache = await ensurePixelCache({ root, resolution, sources, verify: 'sha256', ...pool }, terminal);
  return { ...report, withoutImage, cache };
}

type PoolOptions = Pick<IngestOptions, 'workers' | 'signal'>;

function poolOptions({ workers, signal }: IngestOptions): PoolOptions {
  return { ...(workers === undefined ? {} : { workers }), ...(signal === undefined ? {} : { signal }) };
}

async function inspectAll(
  root: string,
  files: readonly ImageFile[],
  { strict, pool }: { strict: boolean; pool: PoolOptions },
  terminal: Terminal,
): Promise<Inspection[]> {
  const tasks = files.map(({ file, imageId }): InspectTask => ({ path: join(root, file), file, imageId, strict }));
  const progress = terminal.progress('reading DICOM files', tasks.length);
  try {
    return await mapInWorkers<InspectTask, Inspection>(new URL('./inspect-worker.ts', import.meta.url), {}, tasks, {
      ...pool,
      onResult: () => progress.advance(),
    });
  } finally {
    progress.stop();
  }
}

function catalogueRows(files: readonly ImageFile[], inspections: readonly Inspection[], labels: Labels) {
  const contradictory = contradictoryIds(labels);
  const firstFile = new Map<string, string>();
  const rows = files.map((file, index) => {
    const row = toRow(file, inspections[index]!);
    const first = firstFile.get(file.imageId);
    firstFile.set(file.imageId, first ?? file.file);
    if (first !== undefined && row.quarantined === '') row.quarantined = `another file of this id: ${first}`;
    if (contradictory.has(file.imageId)) row.notes = addNote(row.notes, 'both an empty label row and a mask');
    return row;
  });
  return joinLabels(rows, labels);
}

function toRow(
  { imageId, set, file }: ImageFile,
  { bytes, sha256, header, notes, quarantined }: Inspection,
): CatalogueRow {
  return {
    imageId,
    set,
    file,
    bytes,
    sha256,
    patientId: header?.patientId ?? '',
    sex: header?.sex ?? '',
    age: header?.age,
    view: header?.view ?? '',
    pixelSpacing: header?.pixelSpacing ?? '',
    rows: header?.rows,
    columns: header?.columns,
    transferSyntax: header?.transferSyntax ?? '',
    labelled: false,
    positive: false,
    maskArea: 0,
    rleRows: 0,
    notes: notes.join('; '),
    quarantined,
  };
}

function addNote(notes: string, note: string): string {
  return notes === '' ? note : `${notes}; ${note}`;
}

function requireSomeUsable(rows: readonly CatalogueRow[]): void {
  const bad = rows.filter((row) => row.quarantined !== '');
  if (bad.length < rows.length) return;
  throw new UserError(`None of ${rows.length} image files can be used. The first: ${bad[0]!.quarantined}`);
}
