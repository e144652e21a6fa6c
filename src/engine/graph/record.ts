import { tf } from '../tf.ts';
import type { NativeAttribute, NativeBackend, NativeBinding, TensorMetadata, TensorValues } from './binding.ts';
import { createConstants } from './constants.ts';
import { type AttributeValue, DATA_TYPE, type GraphNode } from './graph-def.ts';
import { probeOutputs } from './probe.ts';
import { type UpdateRecorder, whileRecording } from './recording.ts';
import { createResources, type ProgramVariable, type Recorded } from './resources.ts';
import { inferOutputs } from './shapes.ts';

export type { ProgramVariable } from './resources.ts';

/** An input of a recorded function, fed anew at every run. */
export interface InputSpec {
  shape: readonly number[];
  dtype: 'float32' | 'int32' | 'uint8';
}

export interface Recording {
  nodes: GraphNode[];
  /** Where each result comes from: `node:output`. */
  outputs: Record<string, string>;
  /** The node that comes after everything: results, assignments and updates. */
  done: string;
}

/** Handles that we give out begin here, far above those that the binding counts up to. */
const FIRST_SYMBOLIC_ID = 2 ** 30;

/**
 * Runs a function once without running its kernels (one of unknown output shape is asked once, on zeros): every kernel
 * it calls becomes a node, every variable it reads a read of a resource, every variable it assigns an assignment after
 * all reads. Reads and updates of a variable happen in the order in which the function makes them.
 * Throws where the function looks at a value, since that value would be frozen into the graph.
 */
export function record(
  prefix: string,
  inputs: Record<string, InputSpec>,
  variables: readonly ProgramVariable[],
  fn: (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
): Recording {
  const backend = tf.backend() as unknown as NativeBackend;
  const real = backend.binding;
  const known = new Map<number, Recorded>();
  const nodes: GraphNode[] = [];
  let nextId = FIRST_SYMBOLIC_ID;

  const add = (op: string, inputRefs: string[], attributes: Record<string, AttributeValue>, label = op) => {
    const name = `${prefix}/${label}_${nodes.length}`;
    nodes.push({ name, op, inputs: inputRefs, attributes });
    return name;
  };
  const constants = createConstants(real, add);
  const resources = createResources(backend, variables, add, known);

  const lookUp = (id: number): Recorded =>
    known.get(id) ?? constants.find(id) ?? resources.read(id) ?? constants.capture(id);

  const give = (ref: string, shape: readonly number[], dtype: number): TensorMetadata => {
    const id = nextId++;
    known.set(id, { ref, shape, dtype, values: undefined });
    return { id, shape: [...shape], dtype };
  };

  const executeOp: NativeBinding['executeOp'] = (op, attributes, ids, count) => {
    const operands = ids.map(lookUp);
    const truthful = attributes.map((attribute) =>
      // tfjs has no uint8 and calls it int32.
      op === 'Cast' && attribute.name === 'SrcT' ? { ...attribute, value: operands[0]!.dtype } : attribute,
    );
    const outputs = inferOutputs(op, operands, truthful) ?? probeOutputs(real, op, truthful, operands, count);
    const node = add(
      op,
      operands.map(({ ref }) => ref),
      encodeAttributes(real, truthful),
    );
    return outputs.map(({ shape, dtype }, output) => give(output === 0 ? node : `${node}:${output}`, shape, dtype));
  };

  const replaced = {
    executeOp,
    createTensor: (shape: readonly number[], dtype: number, values: TensorValues) =>
      constants.create(shape, dtype, values),
    deleteTensor: (id: number) => {
      if (id < FIRST_SYMBOLIC_ID) real.deleteTensor(id);
    },
    tensorDataSync: (id: number) => {
      const maker = known.get(id)?.ref ?? 'a tensor from outside';
      throw new Error(`Expected no value to be read while recording ${prefix} but the result of ${maker} was read.`);
    },
  };
  // The binding's own properties are read-only: an object in front of it, defined rather than assigned.
  const recording = Object.create(real, Object.getOwnPropertyDescriptors(replaced)) as NativeBinding;

  const updates: string[] = [];
  const update: UpdateRecorder = ({ op, attributes, variables: changed }, operands) => {
    const refs = backend.getInputTensorIds(operands).map((id) => lookUp(id).ref);
    updates.push(resources.change(changed, (handles, after) => add(op, [...handles, ...refs, ...after], attributes)));
  };

  backend.binding = recording;
  const kept = variables.map(({ variable }) => tf.keep(variable.clone()));
  try {
    let result: Recording | undefined;
    tf.tidy(() => {
      const fed = Object.entries(inputs).map(([name, { shape, dtype }]) => {
        const attributes: Record<string, AttributeValue> = {
          dtype: { kind: 'type', value: DATA_TYPE[dtype] },
          shape: { kind: 'shape', value: shape },
        };
        const node = `${prefix}/${name}`;
        nodes.push({ name: node, op: 'Placeholder', inputs: [], attributes });
        return [name, backend.createOutputTensor(give(node, shape, DATA_TYPE[dtype]))] as const;
      });
      const results = whileRecording(update, () => fn(Object.fromEntries(fed)));
      const refOf = (tensor: tf.Tensor) => lookUp(backend.getInputTensorIds([tensor])[0]!);
      const outputs = Object.entries(results).map(([name, tensor]) => [name, refOf(tensor).ref] as const);
      const changed = variables.filter(({ variable }, index) => variable.dataId !== kept[index]!.dataId);
      const assigned = changed.map(({ variable }) => {
        const value = refOf(variable);
        const dtype: AttributeValue = { kind: 'type', value: value.dtype };
        return resources.change([variable], (handles, after) =>
          add('AssignVariableOp', [...handles, value.ref, ...after], { dtype }, 'assign'),
        );
      });
      const zero = constants.scalar(0);
      const after = [...assigned, ...updates, ...outputs.map(([, ref]) => ref.split(':')[0]!)].map(
        (node) => `^${node}`,
      );
      const done = add('Identity', [zero, ...after], { T: { kind: 'type', value: DATA_TYPE.float32 } }, 'done');
      result = { nodes, outputs: Object.fromEntries(outputs), done };
    });
    return result!;
  } finally {
    variables.forEach(({ variable }, index) => {
      if (variable.dataId !== kept[index]!.dataId) variable.assign(kept[index]!);
      kept[index]!.dispose();
    });
    backend.binding = real;
  }
}

function encodeAttributes(
  binding: NativeBinding,
  attributes: readonly NativeAttribute[],
): Record<string, AttributeValue> {
  return Object.fromEntries(attributes.map((attribute) => [attribute.name, encodeAttribute(binding, attribute)]));
}

function encodeAttribute(binding: NativeBinding, { name, type, value }: NativeAttribute): AttributeValue {
  if (type === binding.TF_ATTR_TYPE) return { kind: 'type', value: value as number };
  if (type === binding.TF_ATTR_BOOL) return { kind: 'bool', value: value as boolean };
  if (type === binding.TF_ATTR_FLOAT) return { kind: 'float', value: value as number };
  if (type === binding.TF_ATTR_STRING) return { kind: 'string', value: value as string };
  if (type === binding.TF_ATTR_SHAPE) return { kind: 'shape', value: value as number[] };
  if (type === binding.TF_ATTR_INT) {
    return Array.isArray(value) ? { kind: 'ints', value: value as number[] } : { kind: 'int', value: value as number };
  }
  throw new Error(`Expected an attribute type that a graph can hold for ${name} but received ${type}.`);
}
