import { nativeKernelsLoaded } from '../native-kernels.ts';
import { tf } from '../tf.ts';
import { runNative } from './native.ts';

/** What tfjs calls its kernel with; it alone knows the filter's shape. */
interface Attributes {
  strides: number | [number, number];
  dilations: number | [number, number];
  pad: unknown;
  filterShape: [number, number, number, number];
}

const KERNEL = { kernelName: 'DepthwiseConv2dNativeBackpropFilter', backendName: 'tensorflow' };

/**
 * The gradient of a depthwise convolution by its filter [k,k,C,1], for x [N,H,W,C] and dy [N,H',W',C]: TensorFlow's kernel
 * for the processor takes ten times as long for 5×5. undefined where ours does not apply: on a GPU, with dilation, several
 * outputs per channel, unequal strides or explicit padding.
 */
export function depthwiseFilterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  attributes: Attributes,
): tf.Tensor4D | undefined {
  const { strides, dilations, pad, filterShape } = attributes;
  const [height, width, , multiplier] = filterShape;
  const [strideHeight, strideWidth] = pair(strides);
  const applies = strideHeight === strideWidth && pair(dilations).every((side) => side === 1) && multiplier === 1;
  if (!nativeKernelsLoaded() || !applies || (pad !== 'same' && pad !== 'valid')) return undefined;
  const outputs = runNative(
    'HarnessDepthwiseFilterGrad',
    [
      { name: 'stride', type: 'int', value: strideHeight },
      { name: 'padding', type: 'string', value: pad.toUpperCase() },
      { name: 'filter_height', type: 'int', value: height },
      { name: 'filter_width', type: 'int', value: width },
    ],
    [x, dy],
    1,
  );
  return outputs[0] as tf.Tensor4D;
}

/** Lets every depthwise convolution's gradient take our kernel where it applies, and TensorFlow's elsewhere. */
export function registerDepthwiseFilterGradient(): void {
  const theirs = tf.getKernel(KERNEL.kernelName, KERNEL.backendName);
  tf.unregisterKernel(KERNEL.kernelName, KERNEL.backendName);
  tf.registerKernel({
    ...KERNEL,
    kernelFunc: (call) => {
      const { x, dy } = call.inputs as { x: tf.Tensor4D; dy: tf.Tensor4D };
      return depthwiseFilterGradient(x, dy, call.attrs as unknown as Attributes) ?? theirs.kernelFunc(call);
    },
  });
}

function pair(sides: number | [number, number]): [number, number] {
  return typeof sides === 'number' ? [sides, sides] : sides;
}
