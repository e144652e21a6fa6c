import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { augment } from '../../../augment/index.ts';
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

/** How many images so many seconds of one core's time made. */
export interface Measured {
  images: number;
  seconds: number;
}

/** One of the two that are compared. */
export interface Contender {
  /** Goes on with a comparison for at least so many seconds of computing time. */
  measure(comparison: number, seconds: number): Measured | Promise<Measured>;
}

const AREA = SIDE * SIDE;
/** The clock is looked at once for so many images. */
const BURST = 16;

/** Ours, in this thread and in a sample's shared memory, as a loader's thread does it. */
export function openOurs(comparisons: readonly Comparison[], images: BenchImages): Contender {
  const memory = new Uint8Array(new SharedArrayBuffer(2 * AREA));
  const sample = { size: SIDE, image: memory.subarray(0, AREA), mask: memory.subarray(AREA) };
  const all = Array.from({ length: images.count }, (_, index) => index);
  const places = comparisons.map(() => 0);
  const work = (comparison: number) => {
    const { ours, everyMask } = comparisons[comparison]!;
    const indices = everyMask ? images.masked : all;
    const place = places[comparison]!++;
    const start = 2 * AREA * indices[place % indices.length]!;
    memory.set(images.bytes.subarray(start, start + 2 * AREA));
    augment(ours, sample, createRng(1, 'augment', 0, place));
  };
  return {
    measure: (comparison, limit) => {
      const from = coreSeconds();
      let [made, seconds] = [0, 0];
      for (; seconds < limit; seconds = coreSeconds() - from, made += BURST) {
        for (let i = 0; i < BURST; i++) work(comparison);
      }
      return { images: made, seconds };
    },
  };
}

/** The time that this process computed, whatever else the machine did meanwhile. */
function coreSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** albumentations, in a process of its own and one thread, which waits while ours is measured; to be closed. */
export async function openTheirs(
  comparisons: readonly Comparison[],
  images: BenchImages,
  { python, signal }: { python: string; signal: AbortSignal },
): Promise<Contender & { versions: Record<string, string>; close(): Promise<void> }> {
  const script = join(import.meta.dirname, 'albumentations_lists.py');
  // It asks its publisher for a newer version otherwise.
  const env = { NO_ALBUMENTATIONS_UPDATE: '1', OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  const peer = execa(python, ['-W', 'ignore', script], { env, cancelSignal: signal });
  // What goes wrong there is thrown by whoever waits for its next line.
  const ended = peer.then(() =>
    Promise.reject(new Error('Expected an answer of albumentations but its process ended.')),
  );
  ended.catch(() => {});
  const lines = createInterface({ input: peer.stdout });
  const ask = async (question: object): Promise<unknown> => {
    const answer = once(lines, 'line');
    peer.stdin.write(`${JSON.stringify(question)}\n`);
    const [line] = (await Promise.race([answer, ended])) as [string];
    return JSON.parse(line);
  };
  const { path, count, masked } = images;
  const lists = comparisons.map(({ theirs, everyMask }) => ({ transforms: theirs, every_mask: everyMask }));
  const versions = (await ask({ path, count, masked, side: SIDE, burst: BURST, lists })) as Record<string, string>;
  return {
    versions,
    measure: async (list, seconds) => (await ask({ list, seconds })) as Measured,
    close: async () => {
      peer.stdin.end();
      await ended.catch(() => {});
    },
  };
}
