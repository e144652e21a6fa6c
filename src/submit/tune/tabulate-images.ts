import { setImmediate } from 'node:timers/promises';
import type { Terminal } from '../../core/terminal.ts';
import { mapInWorkers } from '../../core/worker-pool.ts';
import type { Average } from '../../postprocess/mean-probability.ts';
import type { Tabulate } from './cross-fit.ts';
import type { Tabulated } from './setting.ts';
import { type EvidenceKind, type TabulatedImage, type TabulateJob, tabulateImage } from './tabulate-image.ts';
import type { TabulateSetup } from './tabulate-worker.ts';
import { readInput, type TuneImage, type TuneStores } from './tune-images.ts';
import { weightKey } from './weights.ts';

/** Fewer images are done before threads have begun. */
const LEAST_FOR_THREADS = 64;

interface TabulateOptions {
  kinds: readonly EvidenceKind[];
  /** Side of the masks. */
  size: number;
  /** What of the members is averaged. */
  average: Average;
  terminal: Terminal;
  signal: AbortSignal;
}

/** Tabulates stored probabilities, by threads where there are many images; each has one image's pixels in memory at a time. */
export function tabulateStores(
  images: readonly TuneImage[],
  stores: TuneStores,
  { kinds, size, average, terminal, signal }: TabulateOptions,
): Tabulate {
  return async (weights, thresholds) => {
    const job: TabulateJob = { weights, thresholds, evidence: kinds, size, average };
    const progress = terminal.progress('tabulate', images.length);
    try {
      const onResult = () => progress.advance();
      const many = images.length >= LEAST_FOR_THREADS;
      const each = many
        ? await mapInWorkers<TuneImage, TabulatedImage[]>(
            new URL('./tabulate-worker.ts', import.meta.url),
            setupOf(stores, job),
            images,
            { signal, onResult },
          )
        : await tabulateHere(images, stores, job, { signal, onResult });
      return gather(each, job);
    } finally {
      progress.stop();
    }
  };
}

function setupOf({ stores, gateStore }: TuneStores, job: TabulateJob): TabulateSetup {
  return { paths: stores.map(({ path }) => path), gatePath: gateStore?.path, job };
}

async function tabulateHere(
  images: readonly TuneImage[],
  stores: TuneStores,
  job: TabulateJob,
  { signal, onResult }: { signal: AbortSignal; onResult: () => void },
): Promise<TabulatedImage[][]> {
  const each: TabulatedImage[][] = [];
  for (const image of images) {
    signal.throwIfAborted();
    each.push(tabulateImage(readInput(image, stores), job));
    onResult();
    await setImmediate();
  }
  return each;
}

/** From image by image to average by average. */
export function gather(
  each: readonly (readonly TabulatedImage[])[],
  { weights, thresholds, evidence: kinds }: TabulateJob,
): Map<string, Tabulated> {
  return new Map(
    weights.map((average, place): [string, Tabulated] => {
      const images = each.map((averages) => averages[place]!.tables);
      const evidence = kinds.map((_, kind) => Float64Array.from(each, (averages) => averages[place]!.evidence[kind]!));
      return [weightKey(average), { thresholds, images, kinds, evidence }];
    }),
  );
}
