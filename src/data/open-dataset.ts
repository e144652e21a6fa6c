import { sha256 } from '../core/atomic-file.ts';
import type { Stage } from '../core/competition.ts';
import { formatRle } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import type { CatalogueRow } from './catalogue.ts';
import type { Dataset, DatasetImage } from './dataset.ts';
import { openCatalogue } from './open-catalogue.ts';
import { ensurePixelCache } from './pixel-cache.ts';
import { openPixelFile } from './pixel-file.ts';

/**
 * Opens an ingested data root at a resolution: every image that can be read, of all sets, in the catalogue's order; the
 * pixel cache is built first where it is missing or damaged.
 * Throws UserError where the root is not ingested, or changed since.
 * @param options.stage whose labels; those that the catalogue was made with when left out.
 * @param options.signal stops the building of the cache when aborted.
 */
export async function openDataset(
  options: { root: string; resolution: number; stage?: Stage; signal?: AbortSignal },
  terminal: Terminal,
): Promise<Dataset> {
  const { root, resolution, signal } = options;
  const { rows, labels } = await openCatalogue(options, terminal);
  const usable = rows.filter((row) => row.quarantined === '');
  const stop = signal === undefined ? {} : { signal };
  const path = await ensurePixelCache({ root, resolution, sources: usable, verify: 'size', ...stop }, terminal);
  const images = usable.map(
    ({ imageId, set, patientId }): DatasetImage => ({ id: imageId, set, patientId, truth: labels.truth.get(imageId) }),
  );
  const file = openPixelFile(path, images.length, resolution);
  return {
    root,
    resolution,
    images,
    pixelsPath: path,
    digest: digestOf(usable, images),
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
