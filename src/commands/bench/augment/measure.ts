import { join } from 'node:path';
import { execa } from 'execa';
import { type AugmentConfig, augment } from '../../../augment/index.ts';
import { createRng } from '../../../core/random.ts';
import { type Comparison, SIDE } from './comparisons.ts';

/** Images and masks to augment, [count,SIDE,SIDE] each, in a file for the other side too: image, mask, image, mask, … */
export interface BenchImages {
  path: string;
  bytes: Uint8Array;
  count: number;
  /** Those that have a mask. */
  masked: readonly number[];
}

/** Images per second of one core's time, by comparison. */
export type Rates = number[];

const AREA = SIDE * SIDE;
/** Goes before what is timed, so that compilers and caches are ready; a share of the seconds. */
const WARM_UP = 0.5;
/** The clock is looked at once for so many images. */
const BURST = 16;

/** All comparisons here, each for so many seconds, in this thread and in a sample's memory, as a loader's thread does it. */
export function measureOurs(comparisons: readonly Comparison[], images: BenchImages, seconds: number): Rates {
  const memory = new Uint8Array(new SharedArrayBuffer(2 * AREA));
  const sample = { size: SIDE, image: memory.subarray(0, AREA), mask: memory.subarray(AREA) };
  const all = Array.from({ length: images.count }, (_, index) => index);
  return comparisons.map(({ ours, everyMask, times }) => {
    const indices = everyMask ? images.masked : all;
    let place = 0;
    const work = (steps: readonly AugmentConfig[]) => {
      const start = 2 * AREA * indices[place % indices.length]!;
      memory.set(images.bytes.subarray(start, start + 2 * AREA));
      augment(steps, sample, createRng(1, 'augment', 0, place++));
    };
    const during = (limit: number) => {
      const [from, first] = [coreSeconds(), place];
      let taken = 0;
      for (; taken < limit; taken = coreSeconds() - from) for (let i = 0; i < BURST; i++) work(ours);
      return (place - first) / taken;
    };
    during(WARM_UP * seconds);
    return during(times * seconds);
  });
}

/** The time that this process computed, whatever else the machine did meanwhile. */
function coreSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** The same with albumentations, in a process of its own and one thread. */
export async function measureTheirs(
  comparisons: readonly Comparison[],
  images: BenchImages,
  { seconds, python, signal }: { seconds: number; python: string; signal: AbortSignal },
): Promise<{ rates: Rates; versions: Record<string, string> }> {
  const script = join(import.meta.dirname, 'albumentations_lists.py');
  const { path, count, masked } = images;
  const lists = comparisons.map(({ theirs, everyMask, times }) => ({
    transforms: theirs,
    every_mask: everyMask,
    times,
  }));
  const settings = { seconds, warm_up: WARM_UP, burst: BURST };
  const input = JSON.stringify({ path, count, masked, side: SIDE, lists, ...settings });
  // It asks its publisher for a newer version otherwise.
  const env = { NO_ALBUMENTATIONS_UPDATE: '1', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const { stdout } = await execa(python, ['-W', 'ignore', script], { input, env, cancelSignal: signal });
  return JSON.parse(stdout) as { rates: Rates; versions: Record<string, string> };
}
