import { tf } from '../tf.ts';
import { type Attribute, runNative } from './native.ts';

/**
 * A convolution whose channels are in groups, each output of a group made of its own group of inputs alone (Xie et al.,
 * 2017, https://arxiv.org/abs/1611.05431, section 3.2). x [N,H,W,C], kernel [k,k,C/groups,K] → [N,H',W',K]: the number
 * of groups follows from the shapes. TensorFlow's convolution does this itself, and its gradients too; tfjs refuses it.
 * Throws where C or K cannot be divided into the groups.
 */
export function groupedConvolution(
  x: tf.Tensor4D,
  kernel: tf.Tensor4D,
  stride: number,
  padding: 'same' | 'valid',
): tf.Tensor4D {
  const groups = x.shape[3] / kernel.shape[2];
  if (!Number.isInteger(groups) || kernel.shape[3] % groups !== 0) {
    throw new Error(`Expected channels in equal groups but received x [${x.shape}] and a kernel [${kernel.shape}].`);
  }
  const attributes = convolutionAttributes(stride, padding);
  const convolve = tf.customGrad((...args) => {
    const [input, filter] = args as unknown as [tf.Tensor4D, tf.Tensor4D];
    const save = args[2] as unknown as tf.GradSaveFunc;
    const value = runNative('Conv2D', attributes, [input, filter], 1)[0]!;
    save([input, filter]);
    const gradFunc = (dy: tf.Tensor, [savedX, savedKernel]: tf.Tensor[]) => {
      const sizes = (of: tf.Tensor) => tf.tensor1d(of.shape, 'int32');
      const inputs = [sizes(savedX!), savedKernel!, dy];
      return [
        runNative('Conv2DBackpropInput', attributes, inputs, 1)[0]!,
        runNative('Conv2DBackpropFilter', attributes, [savedX!, sizes(savedKernel!), dy], 1)[0]!,
      ];
    };
    return { value, gradFunc };
  });
  return convolve(x, kernel) as tf.Tensor4D;
}

function convolutionAttributes(stride: number, padding: 'same' | 'valid'): Attribute[] {
  return [
    { name: 'T', type: 'dtype', value: 'float32' },
    { name: 'strides', type: 'int', value: [1, stride, stride, 1] },
    { name: 'padding', type: 'string', value: padding.toUpperCase() },
    { name: 'data_format', type: 'string', value: 'NHWC' },
    { name: 'dilations', type: 'int', value: [1, 1, 1, 1] },
  ];
}
