import { expected } from '../core/errors.ts';
import { deriveSeed } from '../core/random.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import type { Batch } from '../data/batch.ts';
import type { TensorValues } from '../engine/graph/binding.ts';
import { createEagerProgram } from '../engine/graph/eager-program.ts';
import { createProgram } from '../engine/graph/program.ts';
import type { Rewrite } from '../engine/graph/rewrite.ts';
import { tf } from '../engine/tf.ts';
import type { Loss } from '../losses/index.ts';
import { checkWeights, type NamedVariable } from '../models/weights.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { defineFunctions } from './define-functions.ts';
import { defineStep } from './define-step.ts';
import type { Part } from './define-updates.ts';
import { type Evaluation, scoreLogits } from './evaluation.ts';
import { FIRST_LOSS_SCALE, nextLossScale } from './loss-scale.ts';
import type { NonFinite, StepState } from './step-state.ts';

/**
 * What training asks of whatever computes: the loop above it does not know whether kernels run one by one or as a graph.
 */
export interface TrainStep {
  /**
   * One update by the gradient of this batch alone; returns its loss, the mean over its images. The same as accumulate and
   * apply, in one call. Throws when gradients of other batches wait. Where loss or gradients are no numbers nothing changes,
   * neither weights nor batch-norm statistics: ask `nonFinite`.
   */
  update(batch: Batch, lr: number): number;
  /** Adds the gradients of one micro-batch to those gathered so far; returns its loss. Numbers or not: as `update`. */
  accumulate(batch: Batch): number;
  /** One update by the mean gradient over the images gathered since the last one. Throws when there are none. */
  apply(lr: number): void;
  /** What was no number in the last batch, or in the last update of float16; undefined where all was. */
  nonFinite(): NonFinite | undefined;
  /** Which weights the updates from now on change; `decoder` alone only where the step was made to freeze the encoder. */
  train(part: Part): void;
  /** What the norm of all gradients was before they were clipped at the last update; undefined where none are. */
  gradientNorm(): number | undefined;
  /** Moves the kept average of every trained weight to its value by this share, in 0 to 1; the first time wholly. */
  follow(share: number): void;
  /** Every weight, those that are trained as their averages. Throws where none are kept. */
  readAverage(): NamedTensors;
  /** Loss and probabilities of a batch by the moving statistics; nothing changes. */
  evaluate(batch: Batch): Evaluation;
  /** Makes the batch-norm statistics the plain mean over the batches seen: of this one, the index-th from 0. */
  refreshBatchNorm(batch: Batch, index: number): void;
  /** Every weight, batch-norm statistics among them. */
  readWeights(): NamedTensors;
  /** Sets every weight. Throws when a name or shape differs. */
  writeWeights(weights: NamedTensors): void;
  /** All that training goes on from beside the weights: what `writeState` sets. */
  readState(): StepState;
  /** Sets it. Throws when an array is missing, unknown or of another shape. */
  writeState(state: StepState): void;
  /** Operations of one training step, and weights that it trains; no operations are counted for eager. */
  kernels: number;
  parameters: number;
  /** What the largest of its functions needs at once, variables included, as far as its graph tells; 0 for eager. */
  estimateBytes: number;
  dispose(): void;
}

export interface StepOptions {
  /** Compiled into one TensorFlow graph, or kernel by kernel. */
  execution: 'graph' | 'eager';
  batchSize: number;
  validationBatchSize: number;
  resolution: number;
  /** Whether several batches make an update; without, no memory is held for their gradients. */
  accumulates: boolean;
  /** Whether a moving average of the weights is kept. */
  averages?: boolean;
  /** Whether some updates leave the encoder as it is. */
  freezes?: boolean;
  /** The most that the norm of all gradients together may be; left out: anything. */
  gradientClip?: number | undefined;
  /** The encoder's learning rate over that of the rest; left out: 1. */
  encoderLrFactor?: number;
  /** Of the run: what dropout draws from, together with the number of the batch. */
  seed: number;
  /** Whether the loss is multiplied before its gradient, so that float16 holds it. */
  scalesLoss: boolean;
  /** Passes over the graphs of the functions that train, and of the one that predicts. */
  rewrites: { train: readonly Rewrite[]; predict: readonly Rewrite[] };
}

/** The step of a network with its loss and optimizer. */
export function createStep(model: tf.LayersModel, lossOf: Loss, optimizer: Optimizer, options: StepOptions): TrainStep {
  const { validationBatchSize, resolution, scalesLoss, freezes } = options;
  const gathers = options.accumulates || scalesLoss;
  const definition = defineStep(model, lossOf, optimizer, { ...options, gathers });
  const { variables, slots, gathered, averaged } = definition;
  const all = [...variables, ...slots, ...gathered, ...averaged.values()];
  const program = options.execution === 'graph' ? createProgram(all) : createEagerProgram(all);
  const trainedNames = defineFunctions(program, definition, { ...options, rates: optimizer.rates(0, 1).length });
  const gatheredNames = variables.filter(({ trainable }) => trainable).map(({ name }) => name);
  program.load();

  const read = (entries: readonly NamedVariable[]): NamedTensors => {
    const values = program.read(entries.map(({ name }) => name));
    return new Map(
      entries.map(({ name, variable }, i) => [name, { shape: [...variable.shape], data: values[i] as Float32Array }]),
    );
  };
  const set = (arrays: NamedTensors) =>
    program.write(new Map<string, TensorValues>([...arrays].map(([name, { data }]) => [name, data])));
  const dropoutSeed = deriveSeed(options.seed, 'dropout');
  let batches = 0;
  let waiting = 0;
  let followed = 0;
  let part: Part = 'all';
  let norm: number | undefined;
  let broken: NonFinite | undefined;
  let updates = 0;
  let lossScale = scalesLoss ? FIRST_LOSS_SCALE : { scale: 1, good: 0 };
  const seedOf = (batch: number) => Int32Array.of(dropoutSeed, batch);
  const feed = ({ images: pixels, masks }: Batch) => ({
    images: pixels,
    masks,
    seed: seedOf(batches++),
  });
  const number = (value: number) => Float32Array.of(value);
  const kept = () => [...slots, ...(waiting > 0 ? gathered : []), ...(followed > 0 ? averaged.values() : [])];
  const nextRates = (lr: number) => Float32Array.from(optimizer.rates(lr, updates + 1));
  let loss = 0;
  /** Whether all was finite in what a function gave; what was not is kept to be asked for. */
  const examine = (names: readonly string[], { squares, finite }: Record<string, TensorValues>): boolean => {
    const gradients = names.filter((_, index) => !Number.isFinite(squares![index] ?? 0));
    broken = finite![0] === 1 ? undefined : { loss, gradients, seed: seedOf(batches - 1) };
    return broken === undefined;
  };

  const accumulate = (batch: Batch): number => {
    const results = program.run(`accumulate_${part}`, { ...feed(batch), loss_scale: number(lossScale.scale) });
    loss = results.loss![0]!;
    if (examine(trainedNames[part]!, results)) waiting += batch.count;
    return loss;
  };
  /** The update, or in float16 none where a gradient overflowed. */
  const apply = (lr: number): void => {
    if (waiting === 0) throw new Error('Expected gathered gradients for an update but received none.');
    const scale = number(1 / waiting / lossScale.scale);
    waiting = 0;
    broken = undefined;
    const finite = !scalesLoss || examine(gatheredNames, program.run('check', {}));
    // An overflow is how the scale finds its height, unless there is nothing left to lower.
    if (lossScale.scale > 1) broken = undefined;
    if (scalesLoss) lossScale = nextLossScale(lossScale, finite);
    if (finite) {
      norm = program.run(`apply_${part}`, { rates: nextRates(lr), scale }).norm?.[0];
      updates++;
    } else {
      program.run('discard', {});
    }
  };

  return {
    update: (batch, lr) => {
      if (waiting > 0) throw new Error(`Expected no gathered gradients but those of ${waiting} images wait.`);
      if (!gathers) {
        const results = program.run(`update_${part}`, { ...feed(batch), rates: nextRates(lr) });
        loss = results.loss![0]!;
        if (examine(trainedNames[part]!, results)) {
          norm = results.norm?.[0];
          updates++;
        }
        return loss;
      }
      accumulate(batch);
      if (broken === undefined) apply(lr);
      return loss;
    },
    accumulate: (batch) => {
      if (gathers) return accumulate(batch);
      throw new Error('Expected a step that accumulates but it was made for one batch an update.');
    },
    apply,
    train: (next) => {
      if (next !== 'all' && freezes !== true) throw new Error(expected('a step that freezes', 'what to train', next));
      if (waiting > 0) throw new Error(`Expected no gathered gradients but those of ${waiting} images wait.`);
      part = next;
    },
    nonFinite: () => broken,
    gradientNorm: () => norm,
    follow: (share) => {
      program.run('follow', { share: number(followed++ === 0 ? 1 : share) });
    },
    readAverage: () => {
      if (followed === 0) throw new Error('Expected a moving average of the weights but none was kept.');
      const averages = read([...averaged.values()]);
      const trained = [...averaged].map(([name, { name: average }]) => [name, averages.get(average)!] as const);
      return new Map([...read(variables), ...trained]);
    },
    evaluate: (batch) => {
      // A last batch may be smaller than the graph's: what is missing is filled with zeros and left out again.
      const padded = new Uint8Array(validationBatchSize * resolution ** 2);
      padded.set(batch.images);
      const { logits, presence } = program.run('predict', { images: padded }) as Record<string, Float32Array>;
      return scoreLogits(lossOf, logits!, presence, batch);
    },
    refreshBatchNorm: (batch, index) => {
      const { images: pixels, seed } = feed(batch);
      program.run('refresh', { images: pixels, seed, momentum: number(index / (index + 1)) });
    },
    readWeights: () => read(variables),
    writeWeights: (weights) => {
      checkWeights(variables, weights, 'the network');
      set(weights);
    },
    readState: () => ({
      arrays: read(kept()),
      counters: { updates, batches, waiting, followed, loss_scale: lossScale },
    }),
    writeState: ({ arrays, counters }) => {
      ({ updates, batches, waiting, followed, loss_scale: lossScale } = counters);
      checkWeights(kept(), arrays, 'the training step');
      set(arrays);
    },
    kernels: program.countKernels(gathers ? 'accumulate_all' : 'update_all'),
    parameters: variables.reduce((sum, { trainable, variable }) => sum + (trainable ? variable.size : 0), 0),
    estimateBytes: program.estimateBytes(),
    dispose: () => {
      program.dispose();
      tf.dispose([...slots, ...gathered, ...averaged.values()].map(({ variable }) => variable));
      model.dispose();
    },
  };
}
