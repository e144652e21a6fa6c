import { resizeBilinear } from '../kernels/resize-bilinear.ts';
import { tf } from '../tf.ts';

/**
 * Keras's UpSampling2D with bilinear interpolation on the engine's kernel, [N,H,W,C] → [N,factor·H,factor·W,C]; same class
 * name and configuration. With half-pixel centres, as Keras has it; plain tfjs loads what is exported, but has others.
 */
export class BilinearUpSampling2D extends tf.layers.Layer {
  static className = 'UpSampling2D';
  private readonly factor: number;

  constructor({ name, factor }: { name: string; factor: number }) {
    super({ name });
    this.factor = factor;
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [n, h, w, c] = inputShape as [number, number, number, number];
    return [n, h * this.factor, w * this.factor, c];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    return resizeBilinear(x, [x.shape[1] * this.factor, x.shape[2] * this.factor]);
  }

  override getConfig() {
    const size = [this.factor, this.factor];
    return { ...super.getConfig(), size, dataFormat: 'channelsLast', interpolation: 'bilinear' };
  }
}
