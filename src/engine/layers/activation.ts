import { relu, relu6 } from '../kernels/relu.ts';
import { swish } from '../kernels/swish.ts';
import { tf } from '../tf.ts';

/** Activations that the engine has kernels for, by Keras's names. */
const KERNELS = { relu, relu6, swish } as const;
export type ActivationName = keyof typeof KERNELS;

interface Options {
  name: string;
  activation: ActivationName;
  /** The layer before applies it already, in one kernel with its own work: here nothing is left to do. */
  applied?: boolean;
}

/** Keras's Activation on the engine's kernels, shape kept; same class name and configuration. */
export class Activation extends tf.layers.Layer {
  static className = 'Activation';
  private readonly activation: ActivationName;
  private readonly applied: boolean;

  constructor({ name, activation, applied = false }: Options) {
    super({ name });
    this.activation = activation;
    this.applied = applied;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
    return this.applied ? x : KERNELS[this.activation](x);
  }

  override getConfig() {
    return { ...super.getConfig(), activation: this.activation };
  }
}
