import { nativeKernelsLoaded } from '../native-kernels.ts';
import { tf } from '../tf.ts';
import { type Attribute, runNative } from './native.ts';

/**
 * The Lovász hinge of the Jaccard loss (Berman et al., 2018, https://arxiv.org/abs/1705.08790, equations 6, 8 and 9) of each
 * row: logits and masks [R,M] float32, masks 0 or 1 → [R], each ≥ 0. With the errors e = max(0, 1 − logit·y), y = ±1, in
 * falling order it is Σ e_i·(Δ_i − Δ_(i−1)), Δ_i = i/|mask ∪ first i| being the Jaccard loss of a prediction that is wrong
 * there. It is piecewise linear, so that the factors are its gradient; between equal errors any order does.
 * @param symmetric the mean with the same of the background (−logits, 1 − masks), whose errors are the same
 */
export function lovaszHinge(logits: tf.Tensor2D, masks: tf.Tensor2D, symmetric: boolean): tf.Tensor1D {
  const hinge = tf.customGrad((...args) => {
    const [x, save] = args as unknown as [tf.Tensor2D, tf.GradSaveFunc];
    const [losses, slopes] = nativeKernelsLoaded() ? runOwn(x, masks, symmetric) : compose(x, masks, symmetric);
    save([slopes!]);
    const gradFunc = (dy: tf.Tensor, [saved]: tf.Tensor[]) => saved!.mul(dy.reshape([-1, 1]));
    return { value: losses!, gradFunc };
  });
  return hinge(logits) as tf.Tensor1D;
}

function runOwn(x: tf.Tensor2D, masks: tf.Tensor2D, symmetric: boolean): tf.Tensor[] {
  const attribute = { name: 'symmetric', type: 'int', value: symmetric ? 1 : 0 } as const;
  return runNative('HarnessLovaszHinge', [attribute], [x, masks], 2);
}

/** The same of TensorFlow's own operations: the losses, and their slopes by the logits. */
function compose(x: tf.Tensor2D, masks: tf.Tensor2D, symmetric: boolean): tf.Tensor[] {
  const [rows, count] = x.shape;
  const errors = x.mul(masks.mul(-2).add(1)).add(1).relu();
  const { values, indices } = tf.topk(errors, count);
  const starts = Int32Array.from({ length: rows }, (_, row) => row * count);
  const places = indices.add(tf.tensor2d(starts, [rows, 1])).reshape([-1]);
  const inside = gather(masks.reshape([-1]), places).reshape([rows, count]);
  const steps = symmetric
    ? stepsOf(inside)
        .add(stepsOf(tf.sub(1, inside)))
        .div(2)
    : stepsOf(inside);
  const inOrder = steps.mul(values.greater(0).toFloat()).mul(inside.mul(-2).add(1));
  const slopes = tf.scatterND(places.reshape([-1, 1]) as tf.Tensor2D, inOrder.reshape([-1]), [rows * count]);
  return [values.mul(steps).sum(1), slopes.reshape([rows, count])];
}

/** tfjs's own looks at every index first, which costs more than gathering and cannot be recorded. */
function gather(x: tf.Tensor, places: tf.Tensor): tf.Tensor {
  const attributes: Attribute[] = [
    { name: 'batch_dims', type: 'int', value: 0 },
    { name: 'Tparams', type: 'dtype', value: 'float32' },
    { name: 'Tindices', type: 'dtype', value: 'int32' },
    { name: 'Taxis', type: 'dtype', value: 'int32' },
  ];
  return runNative('GatherV2', attributes, [x, places, tf.scalar(0, 'int32')], 1)[0]!;
}

/**
 * Δ_i − Δ_(i−1) for each i, given which pixels in falling order are of the class, [R,M]. Written as one fraction, since the
 * two are nearly equal where the union is large: 1/union_i for a pixel of the class, else
 * (union_i − i)/(union_i·(union_i − 1)), and 1 for the first of all where the class has no pixel.
 */
function stepsOf(members: tf.Tensor): tf.Tensor {
  // Summed up rather than counted in JavaScript: a constant of as many elements would be part of a recorded graph.
  const i = tf.ones(members.shape).cumsum(1);
  const union = members.sum(1, true).add(i).sub(members.cumsum(1));
  const others = union.sub(i).div(union.mul(union.sub(1).maximum(1)));
  return tf.where(members.greater(0), union.reciprocal(), tf.where(union.equal(1), tf.onesLike(union), others));
}
