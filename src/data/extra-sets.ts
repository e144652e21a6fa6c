import { z } from 'zod';
import { sha256 } from '../core/atomic-file.ts';
import { expected, UserError } from '../core/errors.ts';
import { formatRle } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import type { DatasetImage, PixelCell } from './dataset.ts';
import { readLabels } from './labels.ts';
import { openCatalogue } from './open-catalogue.ts';
import { ensurePixelCache } from './pixel-cache.ts';

/** A further set of images to train on: external ones, or images of the test set with pseudo-labels. */
export const extraSetConfig = z.strictObject({
  /** Its data root, ingested like any other; the experiment's own one is allowed. */
  root: z.string().min(1),
  /** A label file of any dialect, or a submission whose masks are taken as truth; left out: the root's own. */
  labels: z.string().min(1).optional(),
  /** How often an epoch draws each image beside once for an own one: 0.5 half of them each epoch, 2 each twice. */
  weight: z.number().gt(0).max(100).default(1),
});
export type ExtraSetConfig = z.infer<typeof extraSetConfig>;

/** The extra images of a data set, where their pixels lie, and a digest of files, labels and weights. */
export interface ExtraImages {
  images: DatasetImage[];
  cells: PixelCell[];
  digest: string;
}

interface Options {
  resolution: number;
  normalisation: NormalisationConfig;
  signal?: AbortSignal;
}

/**
 * Opens extra sets in their order, building their pixel caches first where they are missing. An image that the data set
 * itself labels, or an earlier extra set has, is left out and counted aloud: its fold decides what becomes of it.
 * Throws UserError where a set is not ingested, its labels are wrong, or none of its images is left.
 * @param own ids of the data set's labelled images.
 */
export async function openExtraSets(
  sets: readonly ExtraSetConfig[],
  own: ReadonlySet<string>,
  options: Options,
  terminal: Terminal,
): Promise<ExtraImages> {
  const taken = new Set(own);
  const extra: ExtraImages = { images: [], cells: [], digest: '' };
  const lines: string[] = [];
  for (const set of sets) {
    const opened = await openSet(set, taken, options, terminal);
    extra.images.push(...opened.images);
    extra.cells.push(...opened.cells);
    lines.push(...opened.lines);
    for (const { id } of opened.images) taken.add(id);
  }
  return { ...extra, digest: sha256(lines.join('\n')) };
}

async function openSet(
  { root, labels: labelPath, weight }: ExtraSetConfig,
  taken: ReadonlySet<string>,
  options: Options,
  terminal: Terminal,
) {
  const { rows, labels: rootLabels } = await openCatalogue({ root }, terminal);
  const { truth } = labelPath === undefined ? rootLabels : await readLabels(labelPath);
  const usable = rows.filter((row) => row.quarantined === '');
  const path = await ensurePixelCache({ root, sources: usable, verify: 'size', ...options }, terminal);
  const labelled = usable.map((row, index) => ({ ...row, index })).filter(({ imageId }) => truth.has(imageId));
  const kept = labelled.filter(({ imageId }) => !taken.has(imageId));
  const where = `the extra set ${root}${labelPath === undefined ? '' : ` with ${labelPath}`}`;
  if (kept.length === 0) throw new UserError(expected('images that the data set does not label itself', where, 'none'));
  const positive = kept.filter(({ imageId }) => truth.get(imageId)!.length > 0).length;
  terminal.say(
    `${where}: ${kept.length} images, ${positive} positive, weight ${weight}; left out: ` +
      `${labelled.length - kept.length} that the data set labels itself or has already, ${usable.length - labelled.length} without a label`,
  );
  return {
    images: kept.map(
      ({ imageId: id, set, patientId }): DatasetImage => ({ id, set, patientId, truth: truth.get(id)!, weight }),
    ),
    cells: kept.map(({ index }): PixelCell => ({ path, count: usable.length, index })),
    lines: kept.map(({ imageId: id, sha256: file }) => `${id} ${file} ${formatRle(truth.get(id)!)} ${weight}`),
  };
}
