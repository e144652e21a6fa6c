import { addBias } from '../kernels/add-bias.ts';
import {
  activate,
  type BatchStatistics,
  batchNormInfer,
  batchNormTrain,
  type NormActivation,
} from '../kernels/batch-norm.ts';
import { batchNormFrozen } from '../kernels/frozen-batch-norm.ts';
import { tf } from '../tf.ts';

interface Options {
  name: string;
  /** Share of the moving statistics that stays at each batch (Keras's default 0.99). */
  momentum: number;
  epsilon: number;
  /** Applied in the same kernel. No part of the configuration: the layer after this one is exported as that activation. */
  activation?: NormActivation;
  /** Whether training, too, goes by the moving statistics for good; gamma and beta are trained all the same. */
  frozen?: boolean;
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
  private readonly activation: NormActivation;
  /** Set where training uses the moving statistics and leaves them as they are. */
  frozen: boolean;
  /** Set where the convolution before has taken the scale: in prediction only beta is left to add. */
  folded = false;

  constructor(options: Options) {
    super({ name: options.name });
    this.frozen = options.frozen ?? false;
    this.momentum = options.momentum;
    this.epsilon = options.epsilon;
    this.activation = options.activation ?? { name: 'none' };
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
    if (this.folded) return activate(addBias(x, beta!), this.activation);
    const statistics = { mean: mean!, variance: variance! };
    if (kwargs.training !== true) return batchNormInfer(x, gamma!, beta!, statistics, this.epsilon, this.activation);
    if (this.frozen) return batchNormFrozen(x, gamma!, beta!, statistics, this.epsilon, this.activation);
    const observe = (batch: BatchStatistics) => this.follow(batch);
    return batchNormTrain(x, gamma!, beta!, this.epsilon, this.activation, observe);
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
