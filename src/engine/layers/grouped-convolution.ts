import { groupedConvolution } from '../kernels/grouped-convolution.ts';
import { tf } from '../tf.ts';

interface Options {
  name: string;
  filters: number;
  kernelSize: number;
  /** Into how many equal groups the input's channels and the filters are divided. */
  groups: number;
  strides: number;
  padding: 'same' | 'valid';
  kernelInitializer: ReturnType<typeof tf.initializers.varianceScaling>;
}

/**
 * Keras's Conv2D with `groups` and without a bias, [N,H,W,C] → [N,H',W',filters]: the same weight [k,k,C/groups,filters], class
 * name and configuration. Plain tfjs has no groups and cannot load it.
 */
export class GroupedConvolution extends tf.layers.Layer {
  static className = 'Conv2D';
  private readonly options: Options;

  constructor(options: Options) {
    super({ name: options.name });
    this.options = options;
  }

  override build(inputShape: tf.Shape | tf.Shape[]): void {
    const { filters, kernelSize, groups, kernelInitializer } = this.options;
    const channels = (inputShape as tf.Shape).at(-1)!;
    this.addWeight('kernel', [kernelSize, kernelSize, channels / groups, filters], 'float32', kernelInitializer);
    super.build(inputShape);
  }

  override computeOutputShape(inputShape: tf.Shape | tf.Shape[]): tf.Shape {
    const [n, h, w] = inputShape as [number, number, number];
    const { filters, kernelSize, strides, padding } = this.options;
    const side = (input: number) => Math.ceil((padding === 'same' ? input : input - kernelSize + 1) / strides);
    return [n, side(h), side(w), filters];
  }

  override call(inputs: tf.Tensor | tf.Tensor[]): tf.Tensor {
    const x = (Array.isArray(inputs) ? inputs[0] : inputs) as tf.Tensor4D;
    const { strides, padding } = this.options;
    return groupedConvolution(x, this.weights[0]!.read() as tf.Tensor4D, strides, padding);
  }

  override getConfig() {
    const { filters, kernelSize, groups, strides, padding } = this.options;
    const config = { filters, kernelSize: [kernelSize, kernelSize], strides: [strides, strides], padding, groups };
    return { ...super.getConfig(), ...config, useBias: false };
  }
}
