import { scaleByGate } from '../kernels/scale-by-gate.ts';
import { tf } from '../tf.ts';

/** Keras's Multiply of x [N,H,W,C] by a gate [N,1,1,C] on the engine's kernel; same class name and configuration. */
export class ScaleByGate extends tf.layers.Layer {
  static className = 'Multiply';

  constructor(options: { name: string }) {
    super(options);
  }

  override computeOutputShape(inputShapes: tf.Shape | tf.Shape[]): tf.Shape {
    return (inputShapes as tf.Shape[])[0]!;
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const [x, gate] = inputs as tf.Tensor4D[];
    return scaleByGate(x!, gate!);
  }
}
