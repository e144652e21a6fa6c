import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Runs } from '../../src/core/rle.ts';
import type { Batch } from '../../src/data/batch.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { openPixelFile } from '../../src/data/pixel-file.ts';

export const RESOLUTION = 32;

/** A data set of images named `image-<index>` in a pixel cache of its own; `remove` deletes it. */
export async function writeDataset(
  count: number,
  truthOf: (index: number) => Runs | undefined,
  pixelOf: (index: number, at: number) => number,
): Promise<Dataset & { remove(): Promise<void> }> {
  const area = RESOLUTION * RESOLUTION;
  const folder = await mkdtemp(join(tmpdir(), 'loader-'));
  const pixelsPath = join(folder, 'images.pixels');
  const pixels = Uint8Array.from({ length: count * area }, (_, i) => pixelOf(Math.floor(i / area), i % area));
  await writeFile(pixelsPath, pixels);
  const images = Array.from({ length: count }, (_, index) => ({
    id: `image-${index}`,
    set: 'stage1-train' as const,
    patientId: '',
    truth: truthOf(index),
  }));
  const file = openPixelFile(pixelsPath, count, RESOLUTION);
  return {
    root: folder,
    resolution: RESOLUTION,
    digest: '',
    images,
    pixelsPath,
    readPixels: (index) => {
      const pixels = new Uint8Array(area);
      file.read(index, pixels);
      return pixels;
    },
    close: file.close,
    remove: async () => {
      file.close();
      await rm(folder, { recursive: true });
    },
  };
}

/** All batches, copied out of the loader's memory. */
export async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches) all.push({ ...batch, images: batch.images.slice(), masks: batch.masks.slice() });
  return all;
}

export const indices = (count: number) => Array.from({ length: count }, (_, i) => i);
