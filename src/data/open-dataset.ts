import { sha256 } from '../core/atomic-file.ts';
import type { Stage } from '../core/competition.ts';
import { formatRle } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import { NORMALISATION_NONE } from '../dicom/normalise.ts';
import type { CatalogueRow } from './catalogue.ts';
import type { Dataset, DatasetImage } from './dataset.ts';
import { type ExtraSetConfig, openExtraSets } from './extra-sets.ts';
import { openCatalogue } from './open-catalogue.ts';
import { ensurePixelCache } from './pixel-cache.ts';
import { openPixelFiles } from './pixel-files.ts';

export interface DatasetOptions {
  root: string;
  resolution: number;
  /** How stored values become grey levels; none when left out. */
  normalisation?: NormalisationConfig;
  /** Further sets to train on, paths resolved. */
  extra?: readonly ExtraSetConfig[];
  /** Whose labels; those that the catalogue was made with when left out. */
  stage?: Stage;
  /** Stops the building of the cache when aborted. */
  signal?: AbortSignal;
}

/**
 * Opens an ingested data root at a resolution: every image that can be read, of all sets, in the catalogue's order, and
 * behind them the extra images; pixel caches are built first where they are missing or damaged.
 * Throws UserError where a root is not ingested, or changed since.
 */
export async function openDataset(options: DatasetOptions, terminal: Terminal): Promise<Dataset> {
  const { root, resolution, normalisation = NORMALISATION_NONE, extra: sets = [], signal } = options;
  const { rows, labels } = await openCatalogue(options, terminal);
  const usable = rows.filter((row) => row.quarantined === '');
  const cached = { resolution, normalisation, ...(signal === undefined ? {} : { signal }) };
  const path = await ensurePixelCache({ root, sources: usable, verify: 'size', ...cached }, terminal);
  const own = usable.map(
    ({ imageId, set, patientId }): DatasetImage => ({ id: imageId, set, patientId, truth: labels.truth.get(imageId) }),
  );
  const labelled = new Set(own.filter(({ truth }) => truth !== undefined).map(({ id }) => id));
  const extra = await openExtraSets(sets, labelled, cached, terminal);
  const place = { pixelsPath: path, resolution, cells: extra.cells };
  const file = openPixelFiles(place, own.length);
  return {
    root,
    images: [...own, ...extra.images],
    ...place,
    digest: digestOf(usable, own),
    ...(sets.length === 0 ? {} : { extraDigest: extra.digest }),
    readPixels: (index) => {
      const pixels = new Uint8Array(resolution * resolution);
      file.read(index, pixels);
      return pixels;
    },
    close: file.close,
  };
}

function digestOf(rows: readonly CatalogueRow[], images: readonly DatasetImage[]): string {
  const lines = images.map(({ id, truth }, index) => {
    const code = truth === undefined ? 'unlabelled' : formatRle(truth);
    return `${id} ${rows[index]!.sha256} ${code}`;
  });
  return sha256(lines.join('\n'));
}
