import { serveTasks } from '../../core/worker-pool.ts';
import { openProbabilityStore, type ProbabilityStore } from '../../predict/probability-store.ts';
import { type TabulatedImage, type TabulateJob, tabulateImage } from './tabulate-image.ts';
import { readInput, type TuneImage } from './tune-images.ts';

/** What a thread needs: where the stores are, since an open one does not go from thread to thread. */
export interface TabulateSetup {
  paths: string[];
  gatePath: string | undefined;
  job: TabulateJob;
}

let opened: Promise<{ stores: ProbabilityStore[]; gateStore: ProbabilityStore | undefined }> | undefined;

serveTasks<TabulateSetup, TuneImage, TabulatedImage[]>(async (image, { paths, gatePath, job }) => {
  opened ??= open(paths, gatePath);
  return tabulateImage(readInput(image, await opened), job);
});

async function open(paths: readonly string[], gatePath: string | undefined) {
  const stores = await Promise.all(paths.map((path) => openProbabilityStore(path)));
  return { stores, gateStore: gatePath === undefined ? undefined : await openProbabilityStore(gatePath) };
}
