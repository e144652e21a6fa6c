import { globalAveragePool } from '../kernels/global-average-pool.ts';
import { tf } from '../tf.ts';

/** Keras's GlobalAveragePooling2D on the engine's kernel, [N,H,W,C] → [N,C]; same class name and configuration. */
export class GlobalAveragePooling2D extends tf.layers.Layer {
  static className = 'GlobalAveragePooling2D';

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [n, , , c] = inputShape as [number, number, number, number];
    return [n, c];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const pooled = globalAveragePool((Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D);
    return pooled.reshape([pooled.shape[0], pooled.shape[3]]);
  }

  override getConfig() {
    return { ...super.getConfig(), dataFormat: 'channelsLast' };
  }
}
