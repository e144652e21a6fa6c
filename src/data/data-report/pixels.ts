import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MASK_SIZE } from '../../core/competition.ts';
import type { GrayImage } from '../../core/image.ts';
import { NORMALISATION_NONE } from '../../dicom/normalise.ts';
import type { CatalogueRow } from '../catalogue.ts';
import type { IngestReport } from '../ingest.ts';
import { readGrayImage } from '../inspect-image.ts';
import { openPixelFile } from '../pixel-file.ts';

/** The pictures of an ingest's usable images, from the pixel cache where one was built, else from their files. */
export interface ReportPixels {
  /** Which of them to look at where all would take too long: evenly spread, in order. */
  sample: number[];
  /** Reads the picture of `usable[index]`, 0 to 255. Throws UserError where its file is not the catalogued one any more. */
  read(index: number): Promise<GrayImage>;
  close(): void;
}

/** Bytes of the pixel cache that are read at most, and files that are decoded at most. */
const MOST_CACHED_BYTES = 3.5e9;
const MOST_DECODED = 240;

/** Opens the pictures of the usable rows. Throws where the cache that the report names cannot be opened. */
export async function openReportPixels(report: IngestReport, usable: readonly CatalogueRow[]): Promise<ReportPixels> {
  const { root, cache } = report;
  if (cache === '') {
    return {
      sample: spread(usable.length, MOST_DECODED),
      read: async (index) => {
        const { file, sha256 } = usable[index]!;
        return await readGrayImage(join(root, file), file, sha256, NORMALISATION_NONE);
      },
      close: () => {},
    };
  }
  const { resolution } = JSON.parse(await readFile(`${cache}.json`, 'utf8')) as { resolution: number };
  const file = openPixelFile(cache, usable.length, resolution);
  return {
    sample: spread(usable.length, Math.floor(MOST_CACHED_BYTES / resolution ** 2)),
    read: async (index) => {
      const data = new Uint8Array(resolution * resolution);
      file.read(index, data);
      return { width: resolution, height: resolution, data };
    },
    close: file.close,
  };
}

/** At most `most` of the numbers below `length`, evenly spread. */
export function spread(length: number, most: number): number[] {
  const count = Math.min(length, Math.max(1, most));
  return Array.from({ length: count }, (_, i) => Math.floor((i * length) / count));
}

/** Pixels of a picture that are counted; more of them tell nothing more. */
export const SAMPLED_PIXELS = (MASK_SIZE / 4) ** 2;
