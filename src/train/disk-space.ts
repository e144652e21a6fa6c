import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Experiment } from '../config/experiment.ts';
import { UserError } from '../core/errors.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import { freeBytes } from '../data/disk.ts';
import { gib } from './out-of-memory.ts';
import type { TrainStep } from './step.ts';

/** What a checkpoint is made of, in bytes: all weights, those that are trained, and the optimizer's slots. */
export interface CheckpointParts {
  weights: number;
  trained: number;
  slots: number;
}

/** What a run writes, in bytes. */
export interface SpaceNeed {
  /** One checkpoint that training goes on from, at a run's end. */
  checkpoint: number;
  /** Out-of-fold probabilities of one checkpoint, before they are packed. */
  probabilities: number;
  /** Taken at once at some time by any run of this experiment, and by the one for which all turns out badly. */
  least: number;
  most: number;
}

/** Beside its `top-` ones a run keeps the last checkpoint, the one before, and the best by loss, Dice and IoU; one is being written. */
const KEPT = 5;
const WRITTEN = 1;
/** A line of the journal: loss and learning rate of an update. */
const LINE_BYTES = 100;

/** What a checkpoint of a step that has just been built would be made of. */
export function measureCheckpoint(step: Pick<TrainStep, 'readWeights' | 'readState' | 'parameters'>): CheckpointParts {
  return {
    weights: bytesOf(step.readWeights()),
    trained: Float32Array.BYTES_PER_ELEMENT * step.parameters,
    slots: bytesOf(step.readState().arrays),
  };
}

/** @param images how many there are to train on and to validate on */
export function estimateSpace(
  experiment: Pick<
    Experiment,
    'epochs' | 'batch_size' | 'accumulation_steps' | 'swa' | 'swa_epochs' | 'ema' | 'keep_top_k' | 'resolution'
  >,
  { weights, trained, slots }: CheckpointParts,
  images: { train: number; validation: number },
): SpaceNeed {
  const { epochs, accumulation_steps: group, keep_top_k: top, resolution } = experiment;
  const means = experiment.swa !== undefined || experiment.swa_epochs > 0;
  const always = weights + slots + (experiment.ema === undefined ? 0 : trained);
  // The sums of the plain mean are in float64; gradients are in it where a group is under way.
  const whole = always + (means ? 2 * weights : 0);
  const largest = whole + (group > 1 ? trained : 0);
  const averages = (means ? 1 : 0) + (experiment.ema === undefined ? 0 : 1);
  const updates = epochs * Math.ceil(Math.floor(images.train / experiment.batch_size) / group);
  const probabilities = images.validation * resolution ** 2;
  const atMost = KEPT + Math.max(0, top - 1);
  // The last two and the best few may be the same ones.
  const atLeast = WRITTEN + Math.min(epochs - 1, Math.max(2, top));
  return {
    checkpoint: whole,
    probabilities,
    least: atLeast * always + updates * LINE_BYTES,
    most:
      (atMost + WRITTEN) * largest + averages * weights + (atMost + averages) * probabilities + updates * LINE_BYTES,
  };
}

/**
 * Throws UserError where the file system of a run's folder, which may not be there yet, has surely not enough room for it. What an
 * earlier part of the run has written already counts as room.
 * @param free bytes, found out when left out
 */
export async function checkSpace(runDir: string, { least }: SpaceNeed, free?: number): Promise<void> {
  const room = (free ?? (await freeFor(runDir))) + (await writtenIn(join(runDir, 'checkpoints')));
  if (room >= least) return;
  const next = 'Make room (`npm run gc dry_run=true` shows what can go), or set PNEUMOTHORAX_RUNS to another disk.';
  throw new UserError(
    `Expected at least ${gib(least)} of room for checkpoints in ${runDir} but there are ${gib(room)}. ${next}`,
  );
}

/** Free bytes where a folder is, or will be. */
export async function freeFor(folder: string): Promise<number> {
  return existsSync(folder) ? await freeBytes(folder) : await freeFor(dirname(folder));
}

async function writtenIn(folder: string): Promise<number> {
  if (!existsSync(folder)) return 0;
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map(async (name) => await stat(join(folder, name))));
  return sizes.reduce((sum, found) => sum + (found.isFile() ? found.size : 0), 0);
}

function bytesOf(tensors: NamedTensors): number {
  return [...tensors.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
}
