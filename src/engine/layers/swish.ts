import { swish } from '../kernels/swish.ts';
import { tf } from '../tf.ts';

/** Keras's Activation('swish') on the kernel that keeps only its input; same class name and configuration. */
export class Swish extends tf.layers.Layer {
  static className = 'Activation';

  override computeOutputShape(inputShape: tf.Shape): tf.Shape {
    return inputShape;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    return swish((Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor);
  }

  override getConfig() {
    return { ...super.getConfig(), activation: 'swish' };
  }
}
