import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { join } from 'node:path';
// On Linux sharp must be loaded by the main thread before any worker thread loads it (sharp's installation notes).
import 'sharp';
import type { Stage } from '../core/competition.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import { NORMALISATION_NONE } from '../dicom/normalise.ts';
import { bringTables } from './bring-tables.ts';
import { type CatalogueRow, cataloguePath, writeCatalogue } from './catalogue.ts';
import { catalogueRows } from './catalogue-rows.ts';
import { writingTo } from './disk.ts';
import { type DoubledRows, findDoubledRows } from './doubled-rows.ts';
import { findSources, noImages, type Sources } from './find-images.ts';
import type { Inspection } from './inspect-image.ts';
import { inspectImages } from './inspect-images.ts';
import { findLabelFile, type LabelFile, readLabelsOf } from './join-labels.ts';
import { MASK_LABELS, writeMaskLabels } from './mask-labels.ts';
import { ensurePixelCache } from './pixel-cache.ts';
import { openShrunkImages, type ShrunkImages } from './shrunk-images.ts';
import { closeSources } from './source-bytes.ts';
import { compareStages, type StageChange } from './stage-change.ts';
import { writePngs } from './write-pngs.ts';

export interface IngestOptions {
  root: string;
  /** Builds the pixel cache at this side too; without it the first run that needs one builds it. */
  resolution?: number;
  /** Of the pixel cache and of the PNG files; none when left out. */
  normalisation?: NormalisationConfig;
  /** Writes every usable image as a PNG file too, for looking. */
  png?: boolean;
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
  root: string;
  catalogue: string;
  rows: CatalogueRow[];
  labelFile: LabelFile | undefined;
  dialect: string;
  /** Ids of the label file that no image file has. */
  withoutImage: string[];
  /** Samples that repeat ids: the leak of the early stage-1 sample. */
  doubled: DoubledRows[];
  /** What stage 2's labels changed; only where both stages' label files are there. */
  change: StageChange | undefined;
  /** How many images in archives were left out, since they lie there unpacked too. */
  unpacked: number;
  /** Path of the pixel cache; '' when none was asked for. */
  cache: string;
  /** The folder of the PNG files; '' when none were asked for. */
  png: string;
}

/**
 * Opens, verifies and decodes every image file of a download on all cores, joins the labels, and writes
 * `<root>/catalogue.csv` in one step, then the pixel cache where a resolution is given and the PNG files where asked
 * for. A file that cannot be used is quarantined with its reason. Tables that lie in an archive or a deeper folder are
 * copied to the root first, and mask pictures become a label file there.
 * Throws UserError, with no catalogue written, where there is no image, no image is usable, labels are wrong, the disk
 * refuses, or (strict) any file cannot be used.
 */
export async function ingest(options: IngestOptions, terminal: Terminal): Promise<IngestReport> {
  const { root, resolution, strict = false, normalisation = NORMALISATION_NONE } = options;
  const pool = poolOptions(options);
  const sources = await findSources(root);
  if (sources.images.length === 0) throw await noImages(root);
  await writingTo(cataloguePath(root), () => access(root, constants.W_OK));
  const { labelFile, refused } = await prepareLabels(options, sources, terminal);
  const labels = await readLabelsOf(labelFile);
  const doubled = await findDoubledRows(root, labels);
  const shrunk = await shrinkAhead(resolution, { root, normalisation }, sources.images.length);
  try {
    const files = { root, strict, shrink: shrunk?.setup, ...pool };
    const inspections = await inspectImages(sources.images, files, terminal);
    const rows = catalogueRows(sources.images, inspections, labels, refused);
    requireUsable(rows, strict);
    const change = labelFile?.stage === 2 ? await compareStages(root, rows, labels) : undefined;
    await writingTo(cataloguePath(root), () => writeCatalogue(root, rows));
    const known = new Set(rows.map(({ imageId }) => imageId));
    const withoutImage = [...labels.truth.keys()].filter((id) => !known.has(id));
    const pictures = await writePictures({ ...options, normalisation }, { rows, inspections, shrunk }, terminal);
    const { unpacked } = sources;
    const found = { rows, labelFile, dialect: labels.dialect, withoutImage, doubled, change, unpacked };
    return { root, catalogue: cataloguePath(root), ...found, ...pictures };
  } finally {
    await shrunk?.close();
  }
}

/** A place for pictures that are shrunk while they are inspected; none where no cache is asked for. */
async function shrinkAhead(
  resolution: number | undefined,
  { root, normalisation }: { root: string; normalisation: NormalisationConfig },
  count: number,
): Promise<ShrunkImages | undefined> {
  if (resolution === undefined) return undefined;
  return await writingTo(join(root, 'cache'), () => openShrunkImages({ root, resolution, normalisation }, count));
}

interface Inspected {
  rows: readonly CatalogueRow[];
  /** In the order of the rows. */
  inspections: readonly Inspection[];
  shrunk: ShrunkImages | undefined;
}

/** The pixel cache and the PNG files, where they are asked for. */
async function writePictures(
  options: IngestOptions & { normalisation: NormalisationConfig },
  { rows, inspections, shrunk }: Inspected,
  terminal: Terminal,
): Promise<Pick<IngestReport, 'cache' | 'png'>> {
  const { root, resolution, normalisation } = options;
  const usable = rows.filter((row) => row.quarantined === '');
  const cached = { root, sources: usable, normalisation, verify: 'sha256' as const, ...poolOptions(options) };
  const images = rows.flatMap((row, index) =>
    row.quarantined === '' ? [{ index, sha256: inspections[index]!.shrunk ?? '' }] : [],
  );
  const ahead = shrunk === undefined ? {} : { shrunk: { by: shrunk, images } };
  const cache = resolution === undefined ? '' : await ensurePixelCache({ ...cached, resolution, ...ahead }, terminal);
  const png = options.png === true ? await writePngs({ ...cached, resolution }, terminal) : '';
  return { cache, png };
}

type PoolOptions = Pick<IngestOptions, 'workers' | 'signal'>;

function poolOptions({ workers, signal }: IngestOptions): PoolOptions {
  return { ...(workers === undefined ? {} : { workers }), ...(signal === undefined ? {} : { signal }) };
}

/** Brings the tables to the root, and makes a label file of mask pictures where there is no other. */
async function prepareLabels(options: IngestOptions, { tables, masks }: Sources, terminal: Terminal) {
  const { root, stage } = options;
  await bringTables(root, tables, terminal).finally(closeSources);
  const labelFile = await findLabelFile(root, stage);
  const ofMasks = labelFile === undefined || labelFile.path === join(root, MASK_LABELS);
  if (masks.size === 0 || !ofMasks) {
    if (masks.size > 0) terminal.say(`${masks.size} mask pictures are not read: ${labelFile!.path} has the labels.`);
    return { labelFile, refused: new Map<string, string>() };
  }
  const refused = await writeMaskLabels(root, masks, poolOptions(options), terminal);
  return { labelFile: await findLabelFile(root, stage), refused };
}

/** Not every reason is found while a file is read: strict asks again when all are known. */
function requireUsable(rows: readonly CatalogueRow[], strict: boolean): void {
  const bad = rows.filter((row) => row.quarantined !== '');
  if (bad.length === rows.length) {
    throw new UserError(`None of ${rows.length} image files can be used. The first: ${bad[0]!.quarantined}`);
  }
  if (strict && bad.length > 0) throw new UserError(`${bad[0]!.file}: ${bad[0]!.quarantined}`);
}
