import { setImmediate } from 'node:timers/promises';
import type { Experiment } from '../config/experiment.ts';
import { expected } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { Dataset } from '../data/dataset.ts';
import { countWeighed } from '../data/extra-weights.ts';
import { type Loader, openLoader } from '../data/loader.ts';
import { samplerAt } from '../data/sampler.ts';
import { buildSchedule } from '../optim/index.ts';
import type { Journal } from '../tracking/journal.ts';
import { type Averages, createAverages } from './averages.ts';
import { createEpochMixture } from './epoch-mixture.ts';
import { createEpochWatch } from './epoch-watch.ts';
import type { Checkpoints, SavedCheckpoint } from './keep-checkpoints.ts';
import type { TrainStep } from './step.ts';
import { validate } from './validate.ts';

/** Everything a run works with once it is under way. */
export interface Training {
  experiment: Experiment;
  dataset: Dataset;
  /** Indices into the dataset. */
  split: { train: readonly number[]; validation: readonly number[] };
  step: TrainStep;
  checkpoints: Checkpoints;
  journal: Journal;
  terminal: Terminal;
  signal: AbortSignal;
  /** Threads that load images; as many as the machine is good for when left out. */
  workers?: number | undefined;
}

/** What the loop itself adds: the threads that make its batches, and the averages of weights on the way. */
interface Fitting extends Training {
  loader: Loader;
  averages: Averages;
}

/** How far a run has come. */
export interface Progress {
  /** Epochs done. */
  epoch: number;
  /** Updates done. */
  update: number;
  /** Validation Dice of every epoch done. */
  scores: number[];
  /** Whether the network holds averaged weights by now, rather than those that training goes on from. */
  averaging: boolean;
}

/**
 * Trains for the experiment's epochs, validating and saving after each, and then the averages of weights that it asks for.
 * Returns the checkpoint to use: the average of the better Dice when there is one, else the epoch of the best Dice.
 */
export async function fit(training: Training, progress: Progress): Promise<SavedCheckpoint> {
  const { dataset, workers, signal } = training;
  const loader = openLoader(dataset, { workers, signal });
  try {
    const averages = createAverages(training.experiment, training.step);
    return await fitEpochs({ ...training, loader, averages }, progress);
  } finally {
    await loader.close();
  }
}

async function fitEpochs(fitting: Fitting, progress: Progress): Promise<SavedCheckpoint> {
  const { experiment, step, checkpoints, averages } = fitting;
  while (progress.epoch < experiment.epochs) {
    step.train(progress.epoch < experiment.freeze_encoder_epochs ? 'decoder' : 'all');
    await trainEpoch(fitting, progress);
    const done = { ...progress, epoch: progress.epoch + 1 };
    const saved = await saveValidated(fitting, `epoch-${String(done.epoch).padStart(4, '0')}`, done);
    progress.epoch = done.epoch;
    progress.scores.push(saved.metrics['val/dice']);
    report(fitting, progress, saved);
    averages.afterEpoch(progress.epoch);
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

async function saveValidated(fitting: Fitting, id: string, progress: Progress): Promise<SavedCheckpoint> {
  const { experiment, step, loader, split, checkpoints, signal } = fitting;
  return await checkpoints.save(id, progress, (options) =>
    validate(step, loader, split.validation, { ...options, batchSize: experiment.validation_batch_size, signal }),
  );
}

/** One pass over the training images: gradients are gathered over `accumulation_steps` batches for each update. */
async function trainEpoch(fitting: Fitting, progress: Progress): Promise<void> {
  const { experiment, step, averages, journal, signal } = fitting;
  const schedule = buildSchedule(experiment.lr_schedule);
  const { batches, updates } = countSteps(fitting);
  const bar = fitting.terminal.progress(`epoch ${progress.epoch + 1}/${experiment.epochs}, batch`, batches);
  const watch = createEpochWatch();
  const mixture = createEpochMixture(fitting.dataset.images);
  let losses: number[] = [];
  let batchesLeft = batches;
  try {
    for await (const batch of watch.waiting(epochBatches(fitting, progress.epoch))) {
      signal.throwIfAborted();
      const lr = schedule({ ...progress, updates });
      const alone = experiment.accumulation_steps === 1;
      const loss = alone ? step.update(batch, lr) : step.accumulate(batch);
      losses.push(checkLoss(loss, progress, batch.ids));
      mixture.see(batch.ids);
      batchesLeft--;
      // The last group of an epoch may be smaller: it is divided by what it holds and never reaches into the next one.
      if (losses.length === experiment.accumulation_steps || batchesLeft === 0) {
        if (!alone) step.apply(lr);
        progress.update++;
        averages.afterUpdate(progress);
        const norm = step.gradientNorm();
        const clipped = norm === undefined ? {} : { 'train/gradient_norm': norm };
        journal.metrics({ 'train/loss': mean(losses), lr, ...clipped }, progress.update);
        losses = [];
      }
      bar.advance();
      // TensorFlow works synchronously: without this neither signals nor uploads would get their turn.
      await setImmediate();
    }
    const epoch = { ...mixture.metrics(), ...watch.metrics(batches * experiment.batch_size) };
    journal.metrics(epoch, progress.update);
  } finally {
    bar.stop();
  }
}

/** Batch-norm statistics of averaged weights: their own, over the training images once more. */
async function refreshBatchNorm(fitting: Fitting, epoch: number): Promise<void> {
  const bar = fitting.terminal.progress('batch-norm statistics, batch', countSteps(fitting).batches);
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

/** The batches of an epoch (from 0), as its experiment draws and augments them: the same at every call. */
export function epochBatches(
  { experiment, loader, split }: Pick<Fitting, 'experiment' | 'loader' | 'split'>,
  epoch: number,
): ReturnType<Loader['trainingBatches']> {
  const { batch_size: batchSize, augment, seed, data, epochs } = experiment;
  const sampler = samplerAt(data.sampler, epoch, epochs);
  return loader.trainingBatches(split.train, { batchSize, sampler, augment, seed, epoch });
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

/** A loss that is no number spreads to every weight: the run ends here, and its checkpoints stay as they are. */
function checkLoss(loss: number, { update }: Progress, ids: readonly string[]): number {
  if (Number.isFinite(loss)) return loss;
  const next = `The batch was ${ids.join(', ')}. Try a lower lr_schedule.lr or a warm-up.`;
  throw new Error(expected('a finite training loss', `update ${update + 1}`, loss, next));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
