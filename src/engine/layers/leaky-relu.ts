import { leakyRelu, relu } from '../kernels/relu.ts';
import { tf } from '../tf.ts';

interface Options {
  name: string;
  /** Slope below zero, 0 ≤ alpha < 1. */
  alpha: number;
  /** A normalization before or after applies it, in one kernel with its own work: here nothing is left to do. */
  applied?: boolean;
}

/** Keras's LeakyReLU on the engine's kernel, shape kept; same class name and configuration (tfjs's name for the slope). */
export class LeakyReLU extends tf.layers.Layer {
  static className = 'LeakyReLU';
  private readonly alpha: number;
  private readonly applied: boolean;

  constructor({ name, alpha, applied = false }: Options) {
    super({ name });
    this.alpha = alpha;
    this.applied = applied;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
    if (this.applied) return x;
    // After a convolution with swish TensorFlow joins all three in one operation, and then has no kernel for it.
    if (kwargs.training !== true) return x.mul(this.alpha).add(relu(x).mul(1 - this.alpha));
    return leakyRelu(x, this.alpha);
  }

  override getConfig() {
    return { ...super.getConfig(), alpha: this.alpha };
  }
}
