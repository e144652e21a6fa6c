import type { NamedTensors } from '../core/safetensors.ts';
import type { Batch } from '../data/batch.ts';
import type { TensorValues } from '../engine/graph/binding.ts';
import { createEagerProgram } from '../engine/graph/eager-program.ts';
import { createProgram } from '../engine/graph/program.ts';
import { tf } from '../engine/tf.ts';
import type { Loss } from '../losses/index.ts';
import { checkWeights, type NamedVariable } from '../models/weights.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { defineStep } from './define-step.ts';

/**
 * What training asks of whatever computes: the loop above it does not know whether kernels run one by one or as a graph.
 */
export interface TrainStep {
  /** Adds the gradients of one micro-batch to those gathered so far; returns its loss, the mean over its images. */
  accumulate(batch: Batch): number;
  /** One update by the mean gradient over the images gathered since the last one. Throws when there are none. */
  apply(lr: number): void;
  /** Loss and probabilities [N,R,R] of a batch by the moving statistics; nothing changes. */
  evaluate(batch: Batch): { loss: number; probabilities: Float32Array };
  /** Makes the batch-norm statistics the plain mean over the batches seen: of this one, the index-th from 0. */
  refreshBatchNorm(batch: Batch, index: number): void;
  /** Every weight, batch-norm statistics among them. */
  readWeights(): NamedTensors;
  /** Sets every weight. Throws when a name or shape differs. */
  writeWeights(weights: NamedTensors): void;
  /** The optimizer's slots and the number of updates done. */
  readOptimizer(): { slots: NamedTensors; updates: number };
  dispose(): void;
}

export interface StepOptions {
  /** Compiled into one TensorFlow graph, or kernel by kernel. */
  execution: 'graph' | 'eager';
  batchSize: number;
  validationBatchSize: number;
  resolution: number;
}

/** The step of a network with its loss and optimizer. */
export function createStep(model: tf.LayersModel, loss: Loss, optimizer: Optimizer, options: StepOptions): TrainStep {
  const { variables, slots, gathered, functions } = defineStep(model, loss, optimizer);
  const all = [...variables, ...slots, ...gathered];
  const program = options.execution === 'graph' ? createProgram(all) : createEagerProgram(all);
  const { batchSize, validationBatchSize, resolution } = options;
  const images = (count: number) => ({ shape: [count, resolution, resolution, 1], dtype: 'uint8' as const });
  const scalar = { shape: [], dtype: 'float32' as const };
  program.define('accumulate', { images: images(batchSize), masks: images(batchSize) }, functions.accumulate);
  program.define('apply', { rate: scalar, scale: scalar }, functions.apply);
  program.define('refresh', { images: images(batchSize), momentum: scalar }, functions.refresh);
  program.define('predict', { images: images(validationBatchSize) }, functions.predict);
  program.load();

  const read = (entries: readonly NamedVariable[]): NamedTensors => {
    const values = program.read(entries.map(({ name }) => name));
    return new Map(
      entries.map(({ name, variable }, i) => [name, { shape: [...variable.shape], data: values[i] as Float32Array }]),
    );
  };
  let waiting = 0;
  let updates = 0;
  return {
    accumulate: (batch) => {
      waiting += batch.count;
      return program.run('accumulate', { images: batch.images, masks: batch.masks }).loss![0]!;
    },
    apply: (lr) => {
      if (waiting === 0) throw new Error('Expected gathered gradients for an update but received none.');
      updates++;
      const scale = Float32Array.of(1 / waiting);
      program.run('apply', { rate: Float32Array.of(optimizer.rate(lr, updates)), scale });
      waiting = 0;
    },
    evaluate: (batch) => {
      // A last batch may be smaller than the graph's: what is missing is filled with zeros and left out again.
      const padded = new Uint8Array(validationBatchSize * resolution ** 2);
      padded.set(batch.images);
      const logits = program.run('predict', { images: padded }).logits as Float32Array;
      return scoreLogits(loss, logits.subarray(0, batch.images.length), batch);
    },
    refreshBatchNorm: (batch, index) => {
      program.run('refresh', { images: batch.images, momentum: Float32Array.of(index / (index + 1)) });
    },
    readWeights: () => read(variables),
    writeWeights: (weights) => {
      checkWeights(variables, weights, 'the network');
      program.write(new Map<string, TensorValues>([...weights].map(([name, { data }]) => [name, data])));
    },
    readOptimizer: () => ({ slots: read(slots), updates }),
    dispose: () => {
      program.dispose();
      tf.dispose([...slots, ...gathered].map(({ variable }) => variable));
      model.dispose();
    },
  };
}

function scoreLogits(loss: Loss, logits: Float32Array, { count, resolution, masks }: Batch) {
  let value = 0;
  let probabilities = new Float32Array(0);
  tf.tidy(() => {
    const shape: [number, number, number, number] = [count, resolution, resolution, 1];
    const tensor = tf.tensor4d(logits, shape);
    value = loss(tensor, tf.tensor4d(masks, shape, 'float32')).dataSync()[0]!;
    probabilities = tf.sigmoid(tensor).dataSync() as Float32Array<ArrayBuffer>;
  });
  return { loss: value, probabilities };
}
