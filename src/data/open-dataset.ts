import { closeSync, openSync, readSync } from 'node:fs';
import { sha256 } from '../core/atomic-file.ts';
import type { Stage } from '../core/competition.ts';
import { formatRle } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';
import type { CatalogueRow } from './catalogue.ts';
import type { Dataset, DatasetImage } from './dataset.ts';
import { openCatalogue } from './open-catalogue.ts';
import { ensurePixelCache } from './pixel-cache.ts';

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
  return { root, resolution, images, digest: digestOf(usable, images), ...openPixels(path, images.length, resolution) };
}

/** Reading by position keeps memory at one image and lets the system's page cache do the rest. */
function openPixels(path: string, count: number, resolution: number): Pick<Dataset, 'readPixels' | 'close'> {
  const size = resolution * resolution;
  let file: number | undefined = openSync(path, 'r');
  return {
    readPixels: (index) => {
      if (file === undefined) throw new Error('The data set is closed.');
      if (!(index >= 0 && index < count)) throw new RangeError(`Image ${index} of ${count} does not exist.`);
      const pixels = new Uint8Array(size);
      const read = readSync(file, pixels, 0, size, index * size);
      if (read !== size) throw new Error(`${path} is cut short: ${read} of ${size} bytes for image ${index}.`);
      return pixels;
    },
    close: () => {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}

function digestOf(rows: readonly CatalogueRow[], images: readonly DatasetImage[]): string {
  const lines = images.map(({ id, truth }, index) => {
    const code = truth === undefined ? 'unlabelled' : formatRle(truth);
    return `${id} ${rows[index]!.sha256} ${code}`;
  });
  return sha256(lines.join('\n'));
}
