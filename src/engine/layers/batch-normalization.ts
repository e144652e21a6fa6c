import { type BatchStatistics, batchNormInfer, batchNormTrain } from '../kernels/batch-norm.ts';
import { tf } from '../tf.ts';

interface Options {
  name: string;
  /** Share of the moving statistics that stays at each batch (Keras's default 0.99). */
  momentum: number;
  epsilon: number;
}

/**
 * Keras's BatchNormalization over the last axis, on the native kernel: the same weights in the same order (gamma, beta,
 * moving_mean, moving_variance), the same class name and configuration, so plain tfjs loads what is exported.
 */
export class BatchNormalization extends tf.layers.Layer {
  static className = 'BatchNormalization';
  readonly momentum: number;
  /** Takes the momentum's place while set: recomputing the statistics as a plain mean over k batches takes 1 − 1/k. */
  refreshMomentum: tf.Scalar | undefined;
  readonly epsilon: number;

  constructor(options: Options) {
    super({ name: options.name });
    this.momentum = options.momentum;
    this.epsilon = options.epsilon;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const shape = [(inputShape as tf.Shape).at(-1)!];
    const zeros = tf.initializers.zeros();
    const ones = tf.initializers.ones();
    this.addWeight('gamma', shape, 'float32', ones);
    this.addWeight('beta', shape, 'float32', zeros);
    this.addWeight('moving_mean', shape, 'float32', zeros, undefined, false);
    this.addWeight('moving_variance', shape, 'float32', ones, undefined, false);
    super.build(inputShape);
  }

  override call(inputs: tf.Tensor | tf.Tensor[], kwargs: { training?: boolean }): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const [gamma, beta, mean, variance] = this.weights.map((weight) => weight.read() as tf.Tensor1D);
    if (kwargs.training !== true) {
      return batchNormInfer(x, gamma!, beta!, { mean: mean!, variance: variance! }, this.epsilon);
    }
    return batchNormTrain(x, gamma!, beta!, this.epsilon, (statistics) => this.follow(statistics));
  }

  override getConfig() {
    return {
      ...super.getConfig(),
      axis: -1,
      momentum: this.momentum,
      epsilon: this.epsilon,
      center: true,
      scale: true,
    };
  }

  /** moving ← momentum·moving + (1 − momentum)·batch. */
  private follow({ mean, variance }: BatchStatistics): void {
    const [, , movingMean, movingVariance] = this.weights;
    const momentum = this.refreshMomentum ?? this.momentum;
    const mix = (moving: tf.Tensor, batch: tf.Tensor) => moving.mul(momentum).add(batch.mul(tf.sub(1, momentum)));
    movingMean!.write(mix(movingMean!.read(), mean));
    movingVariance!.write(mix(movingVariance!.read(), variance));
  }
}
