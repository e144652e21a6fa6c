import { tf } from '../tf.ts';
import { type Attribute, runNative } from './native.ts';

const FLOAT: Attribute[] = [{ name: 'T', type: 'dtype', value: 'float32' }];

/**
 * max(x, 0) (Nair and Hinton, 2010), any shape. Only the result is kept, and the gradient is one operation, where
 * tfjs's own compares, selects and multiplies: dx = dy where y > 0, else 0.
 */
export function relu<T extends tf.Tensor>(x: T): T {
  return activate(x, 'Relu', 'ReluGrad', FLOAT);
}

/** min(max(x, 0), 6) (Krizhevsky, 2010), any shape, as relu: dx = dy where 0 < y < 6, else 0. */
export function relu6<T extends tf.Tensor>(x: T): T {
  return activate(x, 'Relu6', 'Relu6Grad', FLOAT);
}

/**
 * x where x > 0, else alpha·x (Maas et al., 2013), any shape; 0 ≤ alpha < 1, so that the result has x's sign and the
 * gradient needs nothing else: dx = dy where y > 0, else alpha·dy. Throws for another alpha.
 */
export function leakyRelu<T extends tf.Tensor>(x: T, alpha: number): T {
  if (!(alpha >= 0 && alpha < 1)) throw new Error(`Expected 0 to 1 for the alpha of leakyRelu but received ${alpha}.`);
  return activate(x, 'LeakyRelu', 'LeakyReluGrad', [...FLOAT, { name: 'alpha', type: 'float', value: alpha }]);
}

function activate<T extends tf.Tensor>(x: T, op: string, gradOp: string, attributes: Attribute[]): T {
  const native = tf.customGrad((...args) => {
    const [input, save] = args as unknown as [tf.Tensor, tf.GradSaveFunc];
    const value = runNative(op, attributes, [input], 1)[0]!;
    save([value]);
    const gradFunc = (dy: tf.Tensor, [y]: tf.Tensor[]) => runNative(gradOp, attributes, [dy, y!], 1)[0]!;
    return { value, gradFunc };
  });
  return native(x) as T;
}
