import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AugmentConfig } from '../../augment/index.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { Dataset } from '../../data/dataset.ts';
import { openLoader } from '../../data/loader.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { readWhole } from '../values.ts';
import { writeLoaderData } from './loader-data.ts';

/** What the report of the competition augments with. */
const AUGMENT: AugmentConfig[] = [
  { name: 'hflip', p: 0.5 },
  { name: 'random_crop_zoom', p: 0.5, scale: [0.8, 1] },
  { name: 'brightness_contrast', p: 0.5, brightness: 0.2, contrast: 0.2 },
];
/** What a training host of two cores must get out of its loader. */
const WANTED_PER_SECOND = 60;
/** Images that lie in the cache; more are gone through several times. */
const MOST_CACHED = 256;

interface LoaderBench {
  resolution: number;
  batchSize: number;
  workers: number;
  images: number;
}

/**
 * `npm run bench loader [resolution=512] [batch_size=4] [workers=2] [images=2000]`: how many images a second the loader
 * alone delivers from a pixel cache made for the purpose, in a temporary folder and by then in the system's page cache.
 */
export async function benchLoader({ values, signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const bench = readBench(values);
  const folder = await mkdtemp(join(tmpdir(), 'bench-loader-'));
  try {
    const count = Math.max(bench.batchSize, Math.min(bench.images, MOST_CACHED));
    const dataset = await writeLoaderData(folder, count, bench.resolution);
    const measured = await measure(dataset, bench, signal);
    const { images_per_second: rate, start_ms: start } = measured;
    terminal.say(
      `${rate.toFixed(1)} images/s at ${bench.resolution}² with ${bench.workers} threads (wanted: ${WANTED_PER_SECOND} at 512² on 2 cores)`,
    );
    terminal.say(`${start.toFixed(0)} ms from opening the loader to its first batch`);
    return { json: { ...measured } };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Epochs until `images` have come, after one that warms up threads and page cache. */
async function measure(dataset: Dataset, { resolution, batchSize, workers, images }: LoaderBench, signal: AbortSignal) {
  const opened = performance.now();
  const loader = openLoader(dataset, { workers, signal });
  try {
    const indices = dataset.images.map((_, index) => index);
    const epochOf = (epoch: number) =>
      loader.trainingBatches(indices, { batchSize, sampler: undefined, augment: AUGMENT, seed: 1, epoch });
    let start = 0;
    for await (const _ of epochOf(0)) if (start === 0) start = performance.now() - opened;
    const from = performance.now();
    let done = 0;
    for (let epoch = 1; done < images; epoch++) {
      for await (const { count } of epochOf(epoch)) {
        done += count;
        if (done >= images) break;
      }
    }
    const seconds = (performance.now() - from) / 1000;
    const settings = { resolution, batch_size: batchSize, workers };
    return { images_per_second: done / seconds, images: done, seconds, start_ms: start, ...settings };
  } finally {
    await loader.close();
    dataset.close();
  }
}

function readBench(values: CommandArgs['values']): LoaderBench {
  const known = ['resolution', 'batch_size', 'workers', 'images'];
  const other = Object.keys(values).find((key) => !known.includes(key));
  if (other !== undefined) throw new UserError(expected(known.join(', '), 'the keys of bench loader', other));
  const whole = (key: string, value: string, most: number) => readWhole(key, values[key] ?? value, 1, most);
  return {
    resolution: whole('resolution', '512', 1024),
    batchSize: whole('batch_size', '4', 256),
    workers: whole('workers', '2', 99),
    images: whole('images', '2000', 1_000_000),
  };
}
