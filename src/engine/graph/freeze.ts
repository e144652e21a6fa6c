import { type AttributeValue, DATA_TYPE } from './graph-def.ts';
import type { Recording } from './record.ts';
import type { ProgramVariable } from './resources.ts';
import { nodeOf } from './rewrite.ts';

/**
 * The function with the variables' values of now in place of their reads. Throws where it assigns or updates one.
 */
export function freeze(recording: Recording, variables: readonly ProgramVariable[]): Recording {
  const byHandle = new Map(variables.map(({ name, variable }) => [`variable/${name}`, variable]));
  const nodes = recording.nodes.map((node) => {
    const variable = byHandle.get(nodeOf(node.inputs[0] ?? ''));
    if (variable === undefined) return node;
    if (node.op !== 'ReadVariableOp') {
      throw new Error(`Expected a function that changes no variable to be frozen but ${node.op} changes one.`);
    }
    const dtype = DATA_TYPE[variable.dtype as 'float32' | 'int32'];
    const values = variable.dataSync();
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const attributes: Record<string, AttributeValue> = {
      dtype: { kind: 'type', value: dtype },
      value: { kind: 'tensor', dtype, shape: variable.shape, bytes },
    };
    return { ...node, op: 'Const', inputs: [], attributes };
  });
  return { ...recording, nodes };
}
