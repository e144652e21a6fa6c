import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
// On Linux sharp must be loaded by the main thread before any worker thread loads it (sharp's installation notes).
import 'sharp';
import { writeDirectoryAtomic } from '../../core/atomic-file.ts';
import { IMAGE_FOLDERS, type ImageSet } from '../../core/competition.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import { mapInWorkers } from '../../core/worker-pool.ts';
import { writingTo } from '../disk.ts';
import { streamOf } from './field.ts';
import { type PhantomImage, planPhantom } from './plan.ts';
import { type LabelledImage, writeTables } from './tables.ts';
import type { PhantomSetup } from './worker.ts';

/** What a phantom is made of. */
export interface PhantomConfig {
  /** The folder to make; it must not exist. */
  root: string;
  /** Labelled images to train on (stage 1); at least 4. Test sets are in proportion. */
  images: number;
  seed: number;
  /** How many threads draw (as many as the machine runs at once when left out); the bytes do not depend on it. */
  workers?: number;
  /** Stops the work, leaving nothing behind, when aborted. */
  signal?: AbortSignal;
}

/** Counts of files by set, and of labelled images with a pneumothorax over all sets. */
export interface PhantomSummary {
  trainImages: number;
  testImages: number;
  stage2Images: number;
  positives: number;
}

/**
 * Writes a synthetic competition in exactly the form of the real one (docs/reference/phantom.md): stage 1's folder trees,
 * stage 2's flat folder, label files and samples. The same images and seed give the same bytes. The folder appears whole
 * or not at all; throws UserError where it already exists or the disk refuses.
 */
export async function writePhantom(config: PhantomConfig, terminal: Terminal): Promise<PhantomSummary> {
  checkConfig(config);
  const plan = planPhantom(config.images, config.seed);
  const fill = async (aside: string) => {
    for (const folder of Object.values(IMAGE_FOLDERS)) await mkdir(join(aside, folder));
    const made = await drawAll(plan, config, aside, terminal);
    const { shuffle } = streamOf(config.seed, 'tables', 0);
    for (const [name, text] of Object.entries(writeTables(made, shuffle))) await writeFile(join(aside, name), text);
  };
  await writingTo(config.root, () => writeDirectoryAtomic(config.root, fill));
  const count = (set: ImageSet) => plan.filter((image) => image.set === set).length;
  return {
    trainImages: count('stage1-train'),
    testImages: count('stage1-test'),
    stage2Images: count('stage2-test'),
    positives: plan.filter((image) => image.positive).length,
  };
}

/** Nearly ten times the real competition. */
const MOST_IMAGES = 100_000;

function checkConfig({ root, images, seed }: PhantomConfig): void {
  if (!Number.isInteger(images) || images < 4 || images > MOST_IMAGES) {
    throw new UserError(expected(`a whole number from 4 to ${MOST_IMAGES}`, 'images of a phantom', images));
  }
  if (!Number.isInteger(seed)) throw new UserError(expected('a whole number', 'seed of a phantom', seed));
  if (existsSync(root)) {
    throw new UserError(
      expected('a folder that does not exist yet', 'a new phantom', root, 'Delete it or name another.'),
    );
  }
}

/** Draws every image in the threads of a pool; the answers come back in the plan's order, whoever drew. */
async function drawAll(plan: readonly PhantomImage[], config: PhantomConfig, root: string, terminal: Terminal) {
  const progress = terminal.progress('phantom', plan.length);
  const setup: PhantomSetup = { root, seed: config.seed };
  const { workers, signal } = config;
  try {
    const codes = await mapInWorkers<PhantomImage, string[]>(new URL('./worker.ts', import.meta.url), setup, plan, {
      ...(workers === undefined ? {} : { workers }),
      ...(signal === undefined ? {} : { signal }),
      onResult: () => progress.advance(),
    });
    return plan.map((image, index): LabelledImage => ({ image, codes: codes[index]! }));
  } finally {
    progress.stop();
  }
}
