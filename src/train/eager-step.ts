import type { Batch } from '../data/batch.ts';
import { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { tf } from '../engine/tf.ts';
import type { Loss } from '../losses/index.ts';
import { type NamedVariable, namedVariables, readVariables, writeVariables } from '../models/weights.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import type { TrainStep } from './step.ts';

/** What the optimizer keeps for one trainable weight. */
interface Trained extends NamedVariable {
  /** Sum over images of the gradients gathered since the last update. */
  gathered: tf.Variable;
  slots: tf.Variable[];
}

/** Training kernel by kernel from JavaScript: the reference, and a way to debug. */
export function createEagerStep(model: tf.LayersModel, loss: Loss, optimizer: Optimizer): TrainStep {
  const variables = namedVariables(model);
  const trained = variables.filter(({ trainable }) => trainable).map((variable) => prepare(variable, optimizer));
  const norms = model.layers.filter((layer) => layer instanceof BatchNormalization);
  let images = 0;
  let updates = 0;
  const forward = ({ images: x }: BatchTensors, training: boolean) => model.apply(x, { training }) as tf.Tensor4D;

  return {
    accumulate: (batch) =>
      tf.tidy(() => {
        const tensors = toTensors(batch);
        const { value, grads } = tf.variableGrads(
          () => loss(forward(tensors, true), tensors.masks),
          trained.map(({ variable }) => variable),
        );
        for (const { variable, gathered } of trained) {
          gathered.assign(gathered.add(grads[variable.name]!.mul(batch.count)));
        }
        images += batch.count;
        return value.dataSync()[0]!;
      }),
    apply: (lr) => {
      if (images === 0) throw new Error('Expected gathered gradients for an update but received none.');
      updates++;
      const rate = optimizer.rate(lr, updates);
      for (const { variable, gathered, slots } of trained) {
        tf.tidy(() => {
          optimizer.step(variable, gathered.div(images), slots, rate);
          gathered.assign(tf.zerosLike(gathered));
        });
      }
      images = 0;
    },
    evaluate: (batch) =>
      tf.tidy(() => {
        const tensors = toTensors(batch);
        const logits = forward(tensors, false);
        const probabilities = tf.sigmoid(logits).dataSync() as Float32Array;
        return { loss: loss(logits, tensors.masks).dataSync()[0]!, probabilities };
      }),
    refreshBatchNorm: (batch, index) => {
      const momenta = norms.map((norm) => norm.momentum);
      for (const norm of norms) norm.momentum = index / (index + 1);
      tf.tidy(() => void forward(toTensors(batch), true));
      norms.forEach((norm, place) => {
        norm.momentum = momenta[place]!;
      });
    },
    readWeights: () => readVariables(variables),
    writeWeights: (weights) => writeVariables(variables, weights, 'the network'),
    readOptimizer: () => ({ slots: readVariables(trained.flatMap((weight) => nameSlots(weight, optimizer))), updates }),
    dispose: () => {
      for (const { gathered, slots } of trained) tf.dispose([gathered, ...slots]);
      model.dispose();
    },
  };
}

interface BatchTensors {
  images: tf.Tensor4D;
  masks: tf.Tensor4D;
}

function toTensors({ count, resolution, images, masks }: Batch): BatchTensors {
  const shape: [number, number, number, number] = [count, resolution, resolution, 1];
  return { images: tf.tensor4d(images, shape, 'float32'), masks: tf.tensor4d(masks, shape, 'float32') };
}

function prepare(variable: NamedVariable, optimizer: Optimizer): Trained {
  const zeros = () => tf.tidy(() => tf.variable(tf.zerosLike(variable.variable), false));
  return { ...variable, gathered: zeros(), slots: optimizer.slots.map(zeros) };
}

function nameSlots({ name, slots }: Trained, optimizer: Optimizer): NamedVariable[] {
  return slots.map((variable, slot) => ({ name: `${name}/${optimizer.slots[slot]}`, variable, trainable: false }));
}
