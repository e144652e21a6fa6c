import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { maskAtResolution } from '../../../data/training-mask.ts';
import { writeLoaderData } from '../loader-data.ts';
import { SIDE } from './comparisons.ts';
import type { BenchImages } from './measure.ts';

/** So many that they do not all lie in the processor's cache. */
const COUNT = 96;

/** Images of noise, with masks as many and as large as the competition's, in a file of the folder. */
export async function writeBenchImages(folder: string): Promise<BenchImages> {
  const dataset = await writeLoaderData(folder, COUNT, SIDE);
  const area = SIDE * SIDE;
  const bytes = new Uint8Array(2 * area * COUNT);
  const masked: number[] = [];
  for (const [index, { truth }] of dataset.images.entries()) {
    bytes.set(dataset.readPixels(index), 2 * area * index);
    bytes.set(maskAtResolution(truth!, SIDE), 2 * area * index + area);
    if (truth!.length > 0) masked.push(index);
  }
  dataset.close();
  const path = join(folder, 'images-and-masks.raw');
  await writeFile(path, bytes);
  return { path, bytes, count: COUNT, masked };
}
