import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import { formatRle, maskToRuns } from '../../core/rle.ts';
import type { PhantomImage } from './plan.ts';
import { encodeRadiograph, fileNameOf } from './radiograph-file.ts';
import { renderRadiograph } from './render.ts';
import { folderOf } from './tables.ts';

/** What a thread is started with. */
export interface PhantomWorkerData {
  root: string;
  seed: number;
}

/** What it answers for each image that it is sent: the codes of the label rows. */
export interface PhantomWorkerAnswer {
  number: number;
  codes: string[];
}

const { root, seed } = workerData as PhantomWorkerData;

parentPort!.on('message', (image: PhantomImage) => {
  makeImage(image).then(
    (answer) => parentPort!.postMessage(answer),
    (error) => {
      // Out of the promise, so that the thread dies of it and its parent hears.
      setImmediate(() => {
        throw error;
      });
    },
  );
});

async function makeImage(image: PhantomImage): Promise<PhantomWorkerAnswer> {
  const { pixels, masks } = renderRadiograph(image, seed);
  const path = join(root, folderOf(image), ...fileNameOf(image));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, await encodeRadiograph(image, pixels, seed));
  return { number: image.number, codes: masks.map((mask) => formatRle(maskToRuns(mask))) };
}
