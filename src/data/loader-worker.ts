import { parentPort, workerData } from 'node:worker_threads';
import { augment } from '../augment/index.ts';
import { createRng } from '../core/random.ts';
import { type LoaderJob, type LoaderSetup, sampleMemory } from './loader-job.ts';
import { claimPlace, finishPlace, leavePass } from './loader-queue.ts';
import { truthAt } from './loader-truth.ts';
import { openPixelFiles } from './pixel-files.ts';
import { drawMask } from './training-mask.ts';

/** A thread of the loader: fills places of a pass until none is left. What it throws ends it, and so the pass. */
const { pixelsPath, cells = [], resolution, truth } = workerData as LoaderSetup;
const file = openPixelFiles({ pixelsPath, cells, resolution }, truth.ends.length - cells.length);

parentPort!.on('message', (job: LoaderJob) => {
  const { queue } = job;
  for (let place = claimPlace(queue); place !== undefined; place = claimPlace(queue)) {
    fill(job, place);
    if (finishPlace(queue, place)) tellOwner();
  }
  leavePass(queue);
  tellOwner();
});

function fill(job: LoaderJob, place: number): void {
  const index = job.order[place]!;
  const { image, mask } = sampleMemory(job, resolution, place);
  file.read(index, image);
  drawMask(truthAt(truth, index), resolution, mask);
  if (job.augmentation === undefined) return;
  // By place in the epoch, since a sampler may give an image twice.
  const { steps, seed, epoch, firstPlace } = job.augmentation;
  augment(steps, { size: resolution, image, mask }, createRng(seed, 'augment', epoch, firstPlace + place));
}

function tellOwner(): void {
  parentPort!.postMessage(undefined);
}
