import { addTo } from '../engine/kernels/add-to.ts';
import { inFloat32 } from '../engine/kernels/in-float32.ts';
import { l2Loss } from '../engine/kernels/l2-loss.ts';
import type { BatchNormalization } from '../engine/layers/batch-normalization.ts';
import { tf } from '../engine/tf.ts';
import type { Loss } from '../losses/index.ts';
import type { Logits } from '../models/apply-model.ts';
import { isEncoderLayer } from '../models/encoder-layers.ts';
import type { NamedVariable } from '../models/weights.ts';
import type { Optimizer } from '../optim/optimizer.ts';
import { clipGradients } from './clip-gradients.ts';

export type Inputs = Record<string, tf.Tensor>;
export type StepFunction = (inputs: Inputs) => Record<string, tf.Tensor>;

/** Which weights an update changes: all that are trained, or none of the encoder's, whose statistics then stay as well. */
export type Part = 'all' | 'decoder';

/**
 * What makes an update of one part. Where gradients are clipped, update and apply give { norm } too: what it was before.
 * Update and accumulate are to be guarded by their result { finite }, 1 or 0: what is no number would spread to every weight.
 */
export interface UpdateFunctions {
  /** The weights that are updated, in the order of `squares`. */
  names: string[];
  /**
   * images and masks [N,R,R,1], seed [2], the optimizer's rates → { loss, squares, finite }; one update by this batch's gradient.
   * `squares` [weights] is half the squared norm of each weight's gradient; `finite`: whether they and the loss are numbers.
   */
  update: StepFunction;
  /**
   * images and masks [N,R,R,1], seed [2] → { loss, squares, finite }; gathers N times the gradient. Where a loss_scale is fed,
   * as many times more, and `finite` is of the loss alone: such gradients overflow now and then, and are checked when applied.
   */
  accumulate: StepFunction;
  /** rates, and a scalar scale (1 / images gathered / loss scale): an update; what was gathered becomes zero. */
  apply: StepFunction;
}

/** What updates work on: weights, and beside each of them its gathered gradient and its optimizer's slots. */
export interface UpdateParts {
  forward: (images: tf.Tensor, seed: tf.Tensor) => Logits;
  loss: Loss;
  optimizer: Optimizer;
  norms: readonly BatchNormalization[];
  trained: readonly NamedVariable[];
  gathered: readonly NamedVariable[];
  slotsOf: (index: number) => tf.Variable[];
}

/** The functions that update one part of a network. */
export function defineUpdates(
  part: Part,
  { forward, loss, optimizer, norms, trained, gathered, slotsOf }: UpdateParts,
  { gradientClip, encoderLrFactor = 1 }: { gradientClip?: number | undefined; encoderLrFactor?: number },
): UpdateFunctions {
  const ofEncoder = trained.map(({ name }) => isEncoderLayer(name));
  const indices = trained.map((_, index) => index).filter((index) => part === 'all' || !ofEncoder[index]);
  const frozen = part === 'all' ? [] : norms.filter((norm) => isEncoderLayer(norm.name));

  const differentiate = ({ images, masks, seed }: Inputs, lossScale: tf.Tensor | undefined) => {
    const lossOf = () => {
      const { masks: logits, presence } = withFrozen(frozen, () => forward(images!, seed!));
      const seen = presence === undefined ? undefined : inFloat32(presence);
      return multiply(loss(inFloat32(logits), masks!.toFloat() as tf.Tensor4D, seen), lossScale);
    };
    const variables = indices.map((index) => trained[index]!.variable);
    const { value, grads } = tf.variableGrads(lossOf, variables);
    return {
      value: lossScale === undefined ? value : value.div(lossScale),
      gradients: variables.map(({ name }) => inFloat32(grads[name]!)),
    };
  };
  const change = (gradients: readonly tf.Tensor[], fed: tf.Tensor) => {
    const rates = tf.unstack(fed) as tf.Scalar[];
    const encoderRates = encoderLrFactor === 1 ? rates : rates.map((rate) => rate.mul<tf.Scalar>(encoderLrFactor));
    const clip = gradientClip === undefined ? undefined : clipGradients(gradients, gradientClip);
    indices.forEach((index, place) => {
      const gradient = (clip?.clipped ?? gradients)[place]!;
      optimizer.step(trained[index]!.variable, gradient, slotsOf(index), ofEncoder[index] ? encoderRates : rates);
    });
    return clip === undefined ? {} : { norm: clip.norm };
  };
  return {
    names: indices.map((index) => trained[index]!.name),
    update: (inputs) => {
      const { value, gradients } = differentiate(inputs, undefined);
      return { ...checkFinite(value, gradients), ...change(gradients, inputs.rates!) };
    },
    accumulate: (inputs) => {
      const { value, gradients } = differentiate(inputs, inputs.loss_scale);
      indices.forEach((index, place) => {
        addTo(gathered[index]!.variable, gradients[place]!.mul(inputs.images!.shape[0]!));
      });
      return inputs.loss_scale === undefined
        ? checkFinite(value, gradients)
        : { loss: value, squares: tf.zeros([0]), finite: value.isFinite().toFloat() };
    },
    apply: ({ rates, scale }) => {
      const means = indices.map((index) => gathered[index]!.variable.mul(scale!));
      const results = change(means, rates!);
      for (const { variable } of gathered) variable.assign(tf.zeros(variable.shape));
      return results;
    },
  };
}

/** Half of each gradient's squared norm, and whether all of them and the loss are numbers. */
function checkFinite(loss: tf.Tensor, gradients: readonly tf.Tensor[]): Record<string, tf.Tensor> {
  const squares = tf.stack(gradients.map(l2Loss));
  return { loss, squares, finite: squares.sum().add(loss).isFinite().toFloat() };
}

/** Lets normalizations use their moving statistics, and leave them, while `work` runs. */
function withFrozen<T>(norms: readonly BatchNormalization[], work: () => T): T {
  const before = norms.map(({ frozen }) => frozen);
  for (const norm of norms) norm.frozen = true;
  try {
    return work();
  } finally {
    norms.forEach((norm, index) => {
      norm.frozen = before[index]!;
    });
  }
}

function multiply(value: tf.Scalar, factor: tf.Tensor | undefined): tf.Scalar {
  return factor === undefined ? value : value.mul(factor);
}
