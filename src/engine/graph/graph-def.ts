import { bytesField, floatField, message, varint, varintField } from './wire.ts';

/** TensorFlow's numbers for element types (types.proto, DataType). */
export const DATA_TYPE = {
  float32: 1,
  int32: 3,
  uint8: 4,
  bool: 10,
  bfloat16: 14,
  float16: 19,
} as const;

/** One value of an attribute of a node (attr_value.proto). */
export type AttributeValue =
  | { kind: 'type'; value: number }
  | { kind: 'int'; value: number }
  | { kind: 'float'; value: number }
  | { kind: 'bool'; value: boolean }
  | { kind: 'string'; value: string }
  | { kind: 'shape'; value: readonly number[] }
  | { kind: 'ints'; value: readonly number[] }
  | { kind: 'tensor'; dtype: number; shape: readonly number[]; bytes: Uint8Array };

/** What an output of a node is: its shape and TensorFlow's number for its element type. */
export interface NodeOutput {
  shape: readonly number[];
  dtype: number;
}

/** A node of a graph: `inputs` are `node`, `node:output`, or `^node` for order alone. */
export interface GraphNode {
  name: string;
  op: string;
  inputs: string[];
  attributes: Record<string, AttributeValue>;
}

/** A node that a recording made: what passes over the graph and the memory estimate read beside it. */
export interface RecordedNode extends GraphNode {
  outputs: readonly NodeOutput[];
  /** The innermost part of the function (a layer's name) that was being recorded; '' outside of all, as gradients are. */
  scope: string;
}

/** A version of graph semantics that every TensorFlow of the last years reads (versions.proto, VersionDef.producer). */
const PRODUCER = 1882;

/** The bytes of `saved_model.pb`: one graph under the tag `serve`, without signatures or stored variables. */
export function encodeSavedModel(nodes: readonly GraphNode[]): Uint8Array {
  const versions = bytesField(4, varintField(1, PRODUCER));
  const graphDef = message(...nodes.map((node) => bytesField(1, encodeNode(node))), versions);
  const metaInfo = bytesField(4, 'serve');
  const metaGraph = message(bytesField(1, metaInfo), bytesField(2, graphDef));
  return message(varintField(1, 1), bytesField(2, metaGraph));
}

/** NodeDef: name 1, op 2, input 3, attr 5 (a map: key 1, value 2). */
function encodeNode({ name, op, inputs, attributes }: GraphNode): Uint8Array {
  const entries = Object.entries(attributes).map(([key, value]) =>
    bytesField(5, message(bytesField(1, key), bytesField(2, encodeAttribute(value)))),
  );
  return message(bytesField(1, name), bytesField(2, op), ...inputs.map((input) => bytesField(3, input)), ...entries);
}

/** AttrValue: list 1, s 2, i 3, f 4, b 5, type 6, shape 7, tensor 8. */
function encodeAttribute(attribute: AttributeValue): Uint8Array {
  switch (attribute.kind) {
    case 'type':
      return varintField(6, attribute.value);
    case 'int':
      return varintField(3, attribute.value);
    case 'float':
      return floatField(4, attribute.value);
    case 'bool':
      return varintField(5, attribute.value ? 1 : 0);
    case 'string':
      return bytesField(2, attribute.value);
    case 'shape':
      return bytesField(7, encodeShape(attribute.value));
    case 'ints':
      return bytesField(1, bytesField(3, message(...attribute.value.map(varint))));
    case 'tensor':
      return bytesField(8, encodeTensor(attribute.dtype, attribute.shape, attribute.bytes));
  }
}

/** TensorShapeProto: dim 2 { size 1 }. */
function encodeShape(shape: readonly number[]): Uint8Array {
  return message(...shape.map((size) => bytesField(2, varintField(1, size))));
}

/** TensorProto: dtype 1, tensor_shape 2, tensor_content 4. */
function encodeTensor(dtype: number, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  return message(varintField(1, dtype), bytesField(2, encodeShape(shape)), bytesField(4, bytes));
}
