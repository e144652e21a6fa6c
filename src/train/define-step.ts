import { addTo } from '../engine/kernels/add-to.ts';
import { withStepSeed } from '../engine/kernels/random.ts';
import { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { tf } from '../engine/tf.ts';
import type { Loss } from '../losses/index.ts';
import { applyModel } from '../models/apply-model.ts';
import { type NamedVariable, namedVariables } from '../models/weights.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { defineUpdates, type Part, type StepFunction, type UpdateFunctions } from './define-updates.ts';

/** How gradients become updates, as far as the optimizer does not say. */
export interface StepChoices {
  /** Whether gradients of several batches are summed up before an update. */
  gathers: boolean;
  /** Whether a moving average of the weights is kept beside them. */
  averages?: boolean;
  /** The most that the norm of all gradients together may be; left out: anything. */
  gradientClip?: number | undefined;
  /** The encoder's learning rate over that of the rest; left out: 1. */
  encoderLrFactor?: number;
}

/** One training step as functions of tensors over variables: the one definition, compiled or run kernel by kernel. */
export interface StepDefinition {
  /** The network's weights, batch-norm statistics among them. */
  variables: NamedVariable[];
  /** What the optimizer remembers. */
  slots: NamedVariable[];
  /** Sums over images of gradients since the last update; none where every batch makes its own. */
  gathered: NamedVariable[];
  /** Averages of the trained weights, by their names; none where none are kept. */
  averaged: Map<string, NamedVariable>;
  updates: (part: Part) => UpdateFunctions;
  functions: {
    /** → { finite, squares }: 1 where all gathered gradients are numbers, else 0; [weights], which are not (then NaN). */
    check: StepFunction;
    /** What was gathered becomes zero. */
    discard: StepFunction;
    /** A scalar share: each average moves to its weight by it. */
    follow: StepFunction;
    /** images [N,R,R,1], seed [2] and a scalar momentum: only the batch-norm statistics move. */
    refresh: StepFunction;
    /** images [N,R,R,1] → { logits } and, from a presence head, { presence }, by the moving statistics. */
    predict: StepFunction;
  };
}

/** The step of a network with its loss and optimizer. */
export function defineStep(
  model: tf.LayersModel,
  loss: Loss,
  optimizer: Optimizer,
  { gathers, averages = false, ...choices }: StepChoices,
): StepDefinition {
  const variables = namedVariables(model);
  const trained = variables.filter(({ trainable }) => trainable);
  const beside = (label: string) => trained.map((weight) => zerosLike(weight, label));
  const gathered = gathers ? beside('gradient') : [];
  const averaged = averages ? beside('average') : [];
  const slotsByName = optimizer.slots.map(beside);
  const slotsOf = (index: number) => slotsByName.map((named) => named[index]!.variable);
  const norms = model.layers.filter((layer): layer is BatchNormalization => layer instanceof BatchNormalization);
  const forward = (images: tf.Tensor, seed: tf.Tensor) =>
    withStepSeed(seed as tf.Tensor1D, () => applyModel(model, images, true));
  const parts = { forward, loss, optimizer, norms, trained, gathered, slotsOf };

  return {
    variables,
    slots: slotsByName.flat(),
    gathered,
    averaged: new Map(averaged.map((average, index) => [trained[index]!.name, average])),
    updates: (part) => defineUpdates(part, parts, choices),
    functions: {
      check: () => {
        // Zero times a number is zero, times anything else it is no number.
        const squares = tf.stack(gathered.map(({ variable }) => variable.mul(0).sum()));
        return { squares, finite: squares.sum().equal(0).toFloat() };
      },
      discard: () => {
        for (const { variable } of gathered) variable.assign(tf.zeros(variable.shape));
        return {};
      },
      follow: ({ share }) => {
        averaged.forEach(({ variable }, index) => {
          addTo(variable, trained[index]!.variable.sub(variable).mul(share!));
        });
        return {};
      },
      refresh: ({ images, seed, momentum }) => {
        for (const norm of norms) norm.refreshMomentum = momentum as tf.Scalar;
        forward(images!, seed!);
        for (const norm of norms) norm.refreshMomentum = undefined;
        return {};
      },
      predict: ({ images }) => {
        const { masks, presence } = applyModel(model, images!, false);
        return { logits: masks, ...(presence === undefined ? {} : { presence }) };
      },
    },
  };
}

function zerosLike({ name, variable }: NamedVariable, label: string): NamedVariable {
  // What a variable begins with is a tensor of its own, which would stay beside it.
  const zeros = tf.tidy(() => tf.variable(tf.zeros(variable.shape), false));
  return { name: `${name}/${label}`, variable: zeros, trainable: false };
}
