import { addTo } from '../engine/kernels/add-to.ts';
import { inFloat32 } from '../engine/kernels/in-float32.ts';
import { withStepSeed } from '../engine/kernels/random.ts';
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
  /** Sums over images of gradients since the last update; none where every batch makes its own. */
  gathered: NamedVariable[];
  functions: {
    /** images and masks [N,R,R,1], seed [2], the optimizer's rates → { loss }; one update by this batch's gradient. */
    update: StepFunction;
    /** images and masks [N,R,R,1], seed [2] → { loss }; gathers N times the gradient, and loss_scale times where one is fed. */
    accumulate: StepFunction;
    /** → { finite }: 1 where no gathered gradient is infinite or no number, else 0. */
    check: StepFunction;
    /** rates, and a scalar scale (1 / images gathered / loss scale): an update; what was gathered becomes zero. */
    apply: StepFunction;
    /** What was gathered becomes zero. */
    discard: StepFunction;
    /** images [N,R,R,1], seed [2] and a scalar momentum: only the batch-norm statistics move. */
    refresh: StepFunction;
    /** images [N,R,R,1] → { logits } by the moving statistics. */
    predict: StepFunction;
  };
}

/**
 * The step of a network with its loss and optimizer.
 * @param gathers whether gradients of several batches are summed up before an update
 */
export function defineStep(
  model: tf.LayersModel,
  loss: Loss,
  optimizer: Optimizer,
  { gathers }: { gathers: boolean },
): StepDefinition {
  const variables = namedVariables(model);
  const trained = variables.filter(({ trainable }) => trainable);
  const beside = (label: string) => trained.map((weight) => zerosLike(weight, label));
  const gathered = gathers ? beside('gradient') : [];
  const slotsByName = optimizer.slots.map(beside);
  const norms = model.layers.filter((layer): layer is BatchNormalization => layer instanceof BatchNormalization);
  const infer = (images: tf.Tensor) => model.apply(images.toFloat(), { training: false }) as tf.Tensor4D;
  const forward = (images: tf.Tensor, seed: tf.Tensor) =>
    withStepSeed(seed as tf.Tensor1D, () => model.apply(images.toFloat(), { training: true }) as tf.Tensor4D);

  const differentiate = ({ images, masks, seed }: Inputs, lossScale: tf.Tensor | undefined) => {
    const { value, grads } = tf.variableGrads(
      () => {
        const plain = loss(inFloat32(forward(images!, seed!)), masks!.toFloat() as tf.Tensor4D);
        return lossScale === undefined ? plain : plain.mul(lossScale);
      },
      trained.map(({ variable }) => variable),
    );
    return {
      value: lossScale === undefined ? value : value.div(lossScale),
      gradients: trained.map(({ variable }) => grads[variable.name]!),
    };
  };
  const change = (index: number, gradient: tf.Tensor, rates: readonly tf.Tensor[]) => {
    const slots = slotsByName.map((named) => named[index]!.variable);
    optimizer.step(trained[index]!.variable, gradient, slots, rates as tf.Scalar[]);
  };
  const discard = () => {
    for (const { variable } of gathered) variable.assign(tf.zeros(variable.shape));
    return {};
  };

  return {
    variables,
    slots: slotsByName.flat(),
    gathered,
    functions: {
      update: (inputs) => {
        const { value, gradients } = differentiate(inputs, undefined);
        const rates = tf.unstack(inputs.rates!);
        gradients.forEach((gradient, index) => {
          change(index, gradient, rates);
        });
        return { loss: value };
      },
      accumulate: (inputs) => {
        const { value, gradients } = differentiate(inputs, inputs.loss_scale);
        gradients.forEach((gradient, index) => {
          addTo(gathered[index]!.variable, inFloat32(gradient).mul(inputs.images!.shape[0]!));
        });
        return { loss: value };
      },
      check: () => {
        // Zero times a number is zero, times anything else it is no number.
        const probes = gathered.map(({ variable }) => variable.mul(0).sum());
        return { finite: tf.addN(probes).equal(0).toFloat() };
      },
      apply: ({ rates: fed, scale }) => {
        const rates = tf.unstack(fed!);
        gathered.forEach(({ variable }, index) => {
          change(index, variable.mul(scale!), rates);
        });
        return discard();
      },
      discard,
      refresh: ({ images, seed, momentum }) => {
        for (const norm of norms) norm.refreshMomentum = momentum as tf.Scalar;
        forward(images!, seed!);
        for (const norm of norms) norm.refreshMomentum = undefined;
        return {};
      },
      predict: ({ images }) => ({ logits: infer(images!) }),
    },
  };
}

function zerosLike({ name, variable }: NamedVariable, label: string): NamedVariable {
  // What a variable begins with is a tensor of its own, which would stay beside it.
  const zeros = tf.tidy(() => tf.variable(tf.zeros(variable.shape), false));
  return { name: `${name}/${label}`, variable: zeros, trainable: false };
}
