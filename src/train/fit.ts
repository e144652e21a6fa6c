import { setImmediate } from 'node:timers/promises';
import type { Experiment } from '../config/experiment.ts';
import { Stopped } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Batch } from '../data/batch.ts';
import type { Dataset } from '../data/dataset.ts';
import { countWeighed } from '../data/extra-weights.ts';
import { type Loader, openLoader } from '../data/loader.ts';
import { samplerAt } from '../data/sampler.ts';
import { buildSchedule } from '../optim/index.ts';
import type { Schedule } from '../optim/schedule.ts';
import type { Journal } from '../tracking/journal.ts';
import type { Averages } from './averages.ts';
import { type CheckpointClock, createCheckpointClock } from './checkpoint-clock.ts';
import { createEpochMixture } from './epoch-mixture.ts';
import { createEpochWatch } from './epoch-watch.ts';
import type { Checkpoints, SavedCheckpoint } from './keep-checkpoints.ts';
import { logOverlays } from './log-overlays.ts';
import { describeNonFinite, endAtNonFinite } from './non-finite.ts';
import type { Progress } from './progress.ts';
import type { TrainStep } from './step.ts';
import { validate } from './validate.ts';

/** Everything a run works with once it is under way. */
export interface Training {
  runDir: string;
  experiment: Experiment;
  dataset: Dataset;
  /** Indices into the dataset. */
  split: { train: readonly number[]; validation: readonly number[] };
  step: TrainStep;
  averages: Averages;
  checkpoints: Checkpoints;
  journal: Journal;
  terminal: Terminal;
  signal: AbortSignal;
  /** Threads that load images; as many as the machine is good for when left out. */
  workers?: number | undefined;
  /** The epoch to stop after, to be taken up again. */
  untilEpoch?: number | undefined;
}

/** Training has come to the epoch that it was to stop after, and is saved there. */
export class Paused extends Stopped {
  override name = 'Paused';
}

/** What the loop itself adds: the threads that make its batches, and when to save within an epoch. */
interface Fitting extends Training {
  loader: Loader;
  clock: CheckpointClock;
  schedule: Schedule;
  /** Batches of an epoch, and updates of the whole run. */
  steps: { batches: number; updates: number };
}

/**
 * Trains for the experiment's epochs, from wherever it stands, validating and saving after each, and then the averages of
 * weights that it asks for. Returns the checkpoint to use: the average of the better Dice when there is one, else the epoch of
 * the best Dice. Throws Paused between two epochs where it is to stop there.
 */
export async function fit(training: Training, progress: Progress): Promise<SavedCheckpoint> {
  const { dataset, workers, signal, experiment } = training;
  const loader = openLoader(dataset, { workers, signal });
  try {
    const clock = createCheckpointClock(experiment.checkpoint_every);
    const schedule = buildSchedule(experiment.lr_schedule);
    return await fitEpochs({ ...training, loader, clock, schedule, steps: countSteps(training) }, progress);
  } finally {
    await loader.close();
  }
}

async function fitEpochs(fitting: Fitting, progress: Progress): Promise<SavedCheckpoint> {
  const { experiment, step, checkpoints, averages, clock } = fitting;
  while (progress.epoch < experiment.epochs) {
    if (progress.epoch >= (fitting.untilEpoch ?? Number.POSITIVE_INFINITY)) {
      throw new Paused(`Epoch ${progress.epoch} is done: it stops here, to be gone on with.`);
    }
    step.train(progress.epoch < experiment.freeze_encoder_epochs ? 'decoder' : 'all');
    await trainEpoch(fitting, progress);
    const done = { ...progress, ...NEXT_EPOCH, epoch: progress.epoch + 1 };
    averages.afterEpoch(done.epoch);
    const saved = await saveValidated(fitting, `epoch-${String(done.epoch).padStart(4, '0')}`, done);
    Object.assign(progress, done);
    clock.saved();
    await logOverlays(fitting, saved.id, progress.epoch);
    report(fitting, progress, saved);
  }
  const averaged: SavedCheckpoint[] = [];
  for (const { id, weights } of averages.results()) {
    progress.averaging = true;
    step.writeWeights(weights);
    await refreshBatchNorm(fitting, progress.epoch);
    averaged.push(await saveValidated(fitting, id, progress));
  }
  averaged.sort((a, b) => b.metrics['val/dice'] - a.metrics['val/dice']);
  return averaged[0] ?? checkpoints.best('best-dice');
}

/** What is counted within an epoch, before its first batch. */
const NEXT_EPOCH = { batch: 0, mixture: { seen: 0, positive: 0 } };

async function saveValidated(fitting: Fitting, id: string, progress: Progress): Promise<SavedCheckpoint> {
  const { experiment, step, loader, split, checkpoints, signal } = fitting;
  return await checkpoints.save(id, progress, (options) =>
    validate(step, loader, split.validation, { ...options, batchSize: experiment.validation_batch_size, signal }),
  );
}

/**
 * What is left of one pass over the training images: gradients are gathered over `accumulation_steps` batches for each
 * update. Between any two batches `progress` says where training stands, so that it can be saved there.
 */
async function trainEpoch(fitting: Fitting, progress: Progress): Promise<void> {
  const { experiment, checkpoints, journal, signal, clock } = fitting;
  const { batches } = fitting.steps;
  const bar = fitting.terminal.progress(`epoch ${progress.epoch + 1}/${experiment.epochs}, batch`, batches);
  bar.advance(progress.batch);
  const watch = createEpochWatch();
  const mixture = createEpochMixture(fitting.dataset.images, progress.mixture);
  const from = progress.batch;
  try {
    for await (const batch of watch.waiting(epochBatches(fitting, progress.epoch, from))) {
      signal.throwIfAborted();
      const updated = trainBatch(fitting, batch, progress);
      const broken = fitting.step.nonFinite() !== undefined;
      if (broken && progress.broken > experiment.nan_tolerance) await endAtNonFinite(fitting, batch, progress);
      mixture.see(batch.ids);
      progress.mixture = mixture.counts();
      bar.advance();
      if (clock.isDue({ update: progress.update, updated })) {
        await checkpoints.saveState(progress);
        clock.saved();
      }
      // TensorFlow works synchronously: without this neither signals nor uploads would get their turn.
      await setImmediate();
    }
    journal.metrics(mixture.metrics(), progress.update);
    if (batches > from) journal.metrics(watch.metrics((batches - from) * experiment.batch_size), progress.update);
  } finally {
    bar.stop();
  }
}

/** One batch, and an update where its group is whole by it. Returns whether there was one. */
function trainBatch(fitting: Fitting, batch: Batch, progress: Progress): boolean {
  const { experiment, step, averages, journal, schedule } = fitting;
  const { batches, updates } = fitting.steps;
  const lr = schedule({ ...progress, updates });
  const alone = experiment.accumulation_steps === 1;
  const loss = alone ? step.update(batch, lr) : step.accumulate(batch);
  progress.batch++;
  if (step.nonFinite() === undefined) progress.losses.push(loss);
  else leaveOut(fitting, batch, progress);
  // The last group of an epoch may be smaller: it is divided by what it holds and never reaches into the next one.
  const seen = progress.losses.length + progress.skipped;
  if (seen < experiment.accumulation_steps && progress.batch < batches) return false;
  if (!alone && progress.losses.length > 0) step.apply(lr);
  progress.update++;
  averages.afterUpdate(progress);
  journal.metrics(ofGroup(progress, lr, step.gradientNorm()), progress.update);
  if (progress.losses.length > 0) progress.broken = step.nonFinite() === undefined ? 0 : progress.broken + 1;
  progress.losses = [];
  progress.skipped = 0;
  return true;
}

/** What is logged of an update; of a group that was left out as a whole there is no loss. */
function ofGroup({ losses, skipped }: Progress, lr: number, norm: number | undefined): Record<string, number> {
  return {
    ...(losses.length === 0 ? {} : { 'train/loss': mean(losses), lr }),
    ...(losses.length === 0 || norm === undefined ? {} : { 'train/gradient_norm': norm }),
    ...(skipped === 0 ? {} : { 'train/skipped_batches': skipped }),
  };
}

/** The step has changed nothing by this batch; whoever watches is told which it was. */
function leaveOut({ step, terminal }: Fitting, { ids }: Batch, progress: Progress): void {
  progress.skipped++;
  progress.broken++;
  const what = describeNonFinite(step.nonFinite()!);
  terminal.warn(`epoch ${progress.epoch + 1}, batch ${progress.batch} is left out: ${what} (${ids.join(', ')})`);
}

/** Batch-norm statistics of averaged weights: their own, over the training images once more. */
async function refreshBatchNorm(fitting: Fitting, epoch: number): Promise<void> {
  const bar = fitting.terminal.progress('batch-norm statistics, batch', fitting.steps.batches);
  let index = 0;
  try {
    for await (const batch of epochBatches(fitting, epoch)) {
      fitting.signal.throwIfAborted();
      fitting.step.refreshBatchNorm(batch, index++);
      bar.advance();
      await setImmediate();
    }
  } finally {
    bar.stop();
  }
}

/** The batches of an epoch (from 0), as its experiment draws and augments them, from one on: the same at every call. */
export function epochBatches(
  { experiment, loader, split }: Pick<Fitting, 'experiment' | 'loader' | 'split'>,
  epoch: number,
  fromBatch = 0,
): ReturnType<Loader['trainingBatches']> {
  const { batch_size: batchSize, augment, seed, data, epochs } = experiment;
  const sampler = samplerAt(data.sampler, epoch, epochs);
  return loader.trainingBatches(split.train, { batchSize, sampler, augment, seed, epoch, fromBatch });
}

function countSteps({ experiment, dataset, split }: Training): { batches: number; updates: number } {
  const batches = Math.floor(countWeighed(dataset.images, split.train) / experiment.batch_size);
  return { batches, updates: experiment.epochs * Math.ceil(batches / experiment.accumulation_steps) };
}

function report({ experiment, terminal }: Training, { epoch }: Progress, { metrics, names }: SavedCheckpoint): void {
  const figure = (name: keyof typeof metrics) => metrics[name]?.toFixed(4);
  terminal.say(
    `epoch ${epoch}/${experiment.epochs}: val loss ${figure('val/loss')}, Dice ${figure('val/dice')} ` +
      `(on positives ${figure('val/dice_positive')}), IoU ${figure('val/iou')}` +
      (metrics['val/presence_auc'] === undefined ? '' : `, AUC of presence ${figure('val/presence_auc')}`) +
      (names.length > 0 ? `; ${names.join(', ')}` : ''),
  );
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
