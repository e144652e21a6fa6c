import { rename, writeFile } from 'node:fs/promises';
import sharp from 'sharp';
import { asideOf } from '../core/atomic-file.ts';
import { serveTasks } from '../core/worker-pool.ts';
import type { NormalisationConfig } from '../dicom/normalisation.ts';
import { writingTo } from './disk.ts';
import { readGrayImage } from './inspect-image.ts';
import { resizeGray } from './resize.ts';

/** What every PNG file shares. */
export interface PngSetup {
  /** Side in pixels. */
  resolution: number;
  normalisation: NormalisationConfig;
}

/** One image to write. */
export interface PngTask {
  path: string;
  file: string;
  /** Of the file, as catalogued. */
  sha256: string;
  /** The PNG file. */
  to: string;
}

sharp.concurrency(1);
serveTasks<PngSetup, PngTask, void>(async ({ path, file, sha256, to }, { resolution, normalisation }) => {
  const pixels = await resizeGray(await readGrayImage(path, file, sha256, normalisation), resolution);
  const raw = { width: resolution, height: resolution, channels: 1 as const };
  const png = await sharp(pixels, { raw }).toColourspace('b-w').png({ compressionLevel: COMPRESSION }).toBuffer();
  await writingTo(to, async () => {
    // Aside and renamed, but not synced: they are for looking, and made again at will.
    const aside = asideOf(to);
    await writeFile(aside, png);
    await rename(aside, to);
  });
});

/** Of zlib: a radiograph hardly shrinks further with more, and takes several times as long. */
const COMPRESSION = 1;
