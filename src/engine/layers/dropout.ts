import { dropout } from '../kernels/random.ts';
import { tf } from '../tf.ts';

interface Options {
  name: string;
  /** Probability of zero, 0 ≤ rate < 1. */
  rate: number;
  /** Tells this layer's draws from others' in the same step. */
  stream: number;
  /** One draw for a whole sample (drop-connect, stochastic depth) rather than for each unit. */
  perSample?: boolean;
}

/** Keras's Dropout with draws from the step's seed, shape kept; same class name and configuration. */
export class Dropout extends tf.layers.Layer {
  static className = 'Dropout';
  private readonly options: Options;

  constructor(options: Options) {
    super({ name: options.name });
    this.options = options;
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor;
    const { rate, stream, perSample } = this.options;
    if (kwargs.training !== true || rate === 0) return x;
    const noiseShape = x.shape.map((side, axis) => (perSample === true && axis > 0 ? 1 : side));
    return dropout(x, rate, stream, noiseShape);
  }

  override getConfig() {
    const { rate, perSample } = this.options;
    return { ...super.getConfig(), rate, noiseShape: perSample === true ? [null, 1, 1, 1] : null };
  }
}
