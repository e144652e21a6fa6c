import { tf } from '../tf.ts';

/** An attribute of a TensorFlow operation, as its definition names it. */
export type Attribute =
  | { name: string; type: 'float'; value: number }
  | { name: string; type: 'int'; value: number | readonly number[] }
  | { name: string; type: 'bool'; value: boolean }
  | { name: string; type: 'string'; value: string }
  | { name: string; type: 'dtype'; value: 'float32' | 'int32' | 'bool' };

interface NodeBackend {
  binding: Record<string, number>;
  executeMultipleOutputs(name: string, attributes: object[], inputs: tf.Tensor[], outputs: number): tf.Tensor[];
}

const ATTRIBUTE_TYPES = {
  float: 'TF_ATTR_FLOAT',
  int: 'TF_ATTR_INT',
  bool: 'TF_ATTR_BOOL',
  string: 'TF_ATTR_STRING',
  dtype: 'TF_ATTR_TYPE',
} as const;
const DTYPES = { float32: 'TF_FLOAT', int32: 'TF_INT32', bool: 'TF_BOOL' } as const;

/**
 * Runs one operation of TensorFlow by its name, those that tfjs does not offer among them, and returns its outputs.
 * It has no gradient of its own: wrap it in `tf.customGrad`. Throws what TensorFlow says of a wrong call.
 */
export function runNative(name: string, attributes: Attribute[], inputs: tf.Tensor[], outputs: number): tf.Tensor[] {
  const backend = tf.backend() as unknown as NodeBackend;
  const encoded = attributes.map((attribute) => ({
    name: attribute.name,
    type: backend.binding[ATTRIBUTE_TYPES[attribute.type]],
    value: attribute.type === 'dtype' ? backend.binding[DTYPES[attribute.value]] : attribute.value,
  }));
  return backend.executeMultipleOutputs(name, encoded, inputs, outputs);
}
