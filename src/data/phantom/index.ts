import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { writeDirectoryAtomic } from '../../core/atomic-file.ts';
import { IMAGE_FOLDERS, type ImageSet } from '../../core/competition.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import { startWorkerThread } from '../../core/worker-thread.ts';
import { streamOf } from './field.ts';
import { type PhantomImage, planPhantom } from './plan.ts';
import { type LabelledImage, writeTables } from './tables.ts';
import type { PhantomWorkerAnswer, PhantomWorkerData } from './worker.ts';

/** What a phantom is made of. */
export interface PhantomConfig {
  /** The folder to make; it must not exist. */
  root: string;
  /** Labelled images to train on (stage 1); at least 4. Test sets are in proportion. */
  images: number;
  seed: number;
  /** How many threads draw (the number of cores when left out); the bytes do not depend on it. */
  threads?: number;
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
 * or not at all; throws UserError where it already exists.
 */
export async function writePhantom(config: PhantomConfig, terminal: Terminal): Promise<PhantomSummary> {
  checkConfig(config);
  const plan = planPhantom(config.images, config.seed);
  await writeDirectoryAtomic(config.root, async (aside) => {
    for (const folder of Object.values(IMAGE_FOLDERS)) await mkdir(join(aside, folder));
    const made = await drawAll(plan, config, aside, terminal);
    const { shuffle } = streamOf(config.seed, 'tables', 0);
    for (const [name, text] of Object.entries(writeTables(made, shuffle))) await writeFile(join(aside, name), text);
  });
  const count = (set: ImageSet) => plan.filter((image) => image.set === set).length;
  return {
    trainImages: count('stage1-train'),
    testImages: count('stage1-test'),
    stage2Images: count('stage2-test'),
    positives: plan.filter((image) => image.positive).length,
  };
}

function checkConfig({ root, images, seed }: PhantomConfig): void {
  if (!Number.isInteger(images) || images < 4) {
    throw new UserError(expected('a whole number of at least 4', 'images of a phantom', images));
  }
  if (!Number.isInteger(seed)) throw new UserError(expected('a whole number', 'seed of a phantom', seed));
  if (existsSync(root)) {
    throw new UserError(
      expected('a folder that does not exist yet', 'a new phantom', root, 'Delete it or name another.'),
    );
  }
}

/** Shares the images out among threads, each taking the next when it is done; answers come back in the plan's order. */
async function drawAll(plan: readonly PhantomImage[], config: PhantomConfig, root: string, terminal: Terminal) {
  const progress = terminal.progress('phantom', plan.length);
  const codes: string[][] = [];
  const threads = Math.min(config.threads ?? availableParallelism(), plan.length);
  const queue = plan.values();
  const data: PhantomWorkerData = { root, seed: config.seed };
  const workers = Array.from({ length: threads }, () =>
    startWorkerThread(new URL('./worker.ts', import.meta.url), data),
  );
  try {
    await Promise.all(workers.map((worker) => feed(worker, queue, codes, () => progress.advance())));
  } finally {
    progress.stop();
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return plan.map((image): LabelledImage => ({ image, codes: codes[image.number]! }));
}

/** Sends a thread one image after another until the queue is empty; rejects when the thread dies. */
function feed(worker: Worker, queue: Iterator<PhantomImage>, codes: string[][], onImage: () => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const next = () => {
      const { value, done } = queue.next();
      if (done) resolve();
      else worker.postMessage(value);
    };
    worker.on('error', (cause) => reject(new Error('A thread that draws the phantom died.', { cause })));
    worker.on('message', (answer: PhantomWorkerAnswer) => {
      codes[answer.number] = answer.codes;
      onImage();
      next();
    });
    next();
  });
}
