import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { formatRle, maskToRuns } from '../../core/rle.ts';
import { serveTasks } from '../../core/worker-pool.ts';
import type { PhantomImage } from './plan.ts';
import { encodeRadiograph, fileNameOf } from './radiograph-file.ts';
import { renderRadiograph } from './render.ts';
import { folderOf } from './tables.ts';

/** What a thread is started with. */
export interface PhantomSetup {
  root: string;
  seed: number;
}

// Each thread works on an image of its own: more threads inside one image would only get in their way.
sharp.concurrency(1);
/** Draws and writes an image; answers with the codes of its label rows. */
serveTasks<PhantomSetup, PhantomImage, string[]>(async (image, { root, seed }) => {
  const { pixels, masks } = renderRadiograph(image, seed);
  const path = join(root, folderOf(image), ...fileNameOf(image));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await encodeRadiograph(image, pixels, seed));
  return masks.map((mask) => formatRle(maskToRuns(mask)));
});
