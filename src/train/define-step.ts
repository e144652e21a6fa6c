import { addTo } from '../engine/kernels/add-to.ts';
import { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { tf } from '../engine/tf.ts';
import type { Loss } from '../losses/index.ts';
import { type NamedVariable, namedVariables } from '../models/weights.ts';
import type { Optimizer } from '../optim/optimizer.ts';

type Inputs = Record<string, tf.Tensor>;
type StepFunction = (inputs: Inputs) => Record<string, tf.Tensor>;

/** One training step as functions of tensors over variables: the one definition, compiled or run kernel by kernel. */
export interface StepDefinition {
  /** The network's weights, batch-norm statistics among them. */
  variables: NamedVariable[];
  /** What the optimizer remembers. */
  slots: NamedVariable[];
  /** Sums over images of gradients since the last update. */
  gathered: NamedVariable[];
  functions: {
    /** images and masks [N,R,R,1] → { loss }; gathers N times the gradient. */
    accumulate: StepFunction;
    /** scalars rate and scale (1 / images gathered): an update; what was gathered becomes zero. */
    apply: StepFunction;
    /** images [N,R,R,1] and a scalar momentum: only the batch-norm statistics move. */
    refresh: StepFunction;
    /** images [N,R,R,1] → { logits } by the moving statistics. */
    predict: StepFunction;
  };
}

/** The step of a network with its loss and optimizer. */
export function defineStep(model: tf.LayersModel, loss: Loss, optimizer: Optimizer): StepDefinition {
  const variables = namedVariables(model);
  const trained = variables.filter(({ trainable }) => trainable);
  const beside = (label: string) => trained.map((weight) => zerosLike(weight, label));
  const gathered = beside('gradient');
  const slotsByName = optimizer.slots.map(beside);
  const norms = model.layers.filter((layer): layer is BatchNormalization => layer instanceof BatchNormalization);
  const forward = (images: tf.Tensor, training: boolean) => model.apply(images.toFloat(), { training }) as tf.Tensor4D;

  return {
    variables,
    slots: slotsByName.flat(),
    gathered,
    functions: {
      accumulate: ({ images, masks }) => {
        const { value, grads } = tf.variableGrads(
          () => loss(forward(images!, true), masks!.toFloat() as tf.Tensor4D),
          trained.map(({ variable }) => variable),
        );
        trained.forEach(({ variable }, i) => {
          addTo(gathered[i]!.variable, grads[variable.name]!.mul(images!.shape[0]!));
        });
        return { loss: value };
      },
      apply: ({ rate, scale }) => {
        trained.forEach(({ variable }, i) => {
          const gradient = gathered[i]!.variable;
          optimizer.step(
            variable,
            gradient.mul(scale!),
            slotsByName.map((slots) => slots[i]!.variable),
            rate as tf.Scalar,
          );
          gradient.assign(tf.zeros(gradient.shape));
        });
        return {};
      },
      refresh: ({ images, momentum }) => {
        for (const norm of norms) norm.refreshMomentum = momentum as tf.Scalar;
        forward(images!, true);
        for (const norm of norms) norm.refreshMomentum = undefined;
        return {};
      },
      predict: ({ images }) => ({ logits: forward(images!, false) }),
    },
  };
}

function zerosLike({ name, variable }: NamedVariable, label: string): NamedVariable {
  return { name: `${name}/${label}`, variable: tf.variable(tf.zeros(variable.shape), false), trainable: false };
}
