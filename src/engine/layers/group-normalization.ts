import { expected } from '../../core/errors.ts';
import type { NormActivation } from '../kernels/batch-norm.ts';
import { groupNorm } from '../kernels/group-norm.ts';
import { tf } from '../tf.ts';

interface Options {
  name: string;
  groups: number;
  epsilon: number;
  /** Applied in the same kernel, as BatchNormalization's. */
  activation?: NormActivation;
}

/** Keras's GroupNormalization over the last axis: its weights in its order (gamma, beta), its class name and configuration. */
export class GroupNormalization extends tf.layers.Layer {
  static className = 'GroupNormalization';
  private readonly groups: number;
  private readonly epsilon: number;
  private readonly activation: NormActivation;

  constructor({ name, groups, epsilon, activation = { name: 'none' } }: Options) {
    super({ name });
    this.groups = groups;
    this.epsilon = epsilon;
    this.activation = activation;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const channels = (inputShape as tf.Shape).at(-1)!;
    if (channels % this.groups !== 0) {
      throw new Error(expected(`a divisor of ${channels} channels`, `groups of ${this.name}`, this.groups));
    }
    this.addWeight('gamma', [channels], 'float32', tf.initializers.ones());
    this.addWeight('beta', [channels], 'float32', tf.initializers.zeros());
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const [gamma, beta] = this.weights.map((weight) => weight.read() as tf.Tensor1D);
    return groupNorm(x, gamma!, beta!, { groups: this.groups, epsilon: this.epsilon }, this.activation);
  }

  override getConfig() {
    return { ...super.getConfig(), groups: this.groups, axis: -1, epsilon: this.epsilon, center: true, scale: true };
  }
}
