import { tf } from '../tf.ts';
import type { NativeAttribute, NativeBackend, NativeBinding, TensorMetadata, TensorValues } from './binding.ts';
import { createConstants } from './constants.ts';
import { type AttributeValue, DATA_TYPE, type GraphNode } from './graph-def.ts';
import { probeOutputs } from './probe.ts';
import { type UpdateRecorder, whileRecording } from './recording.ts';
import { inferOutputs, type KnownTensor } from './shapes.ts';

/** A variable of a program: tfjs's own object while recording, a resource of TensorFlow's session when it runs. */
export interface ProgramVariable {
  /** Unique within the program. */
  name: string;
  variable: tf.Variable;
}

/** An input of a recorded function, fed anew at every run. */
export interface InputSpec {
  shape: readonly number[];
  dtype: 'float32' | 'int32' | 'uint8';
}

export interface Recording {
  nodes: GraphNode[];
  /** Where each result comes from: `node:output`. */
  outputs: Record<string, string>;
  /** Variables that the function assigned, and the node that says it is done. */
  done: string;
}

/** A tensor of the graph being recorded. */
interface Recorded extends KnownTensor {
  ref: string;
}

/** Handles that we give out begin here, far above those that the binding counts up to. */
const FIRST_SYMBOLIC_ID = 2 ** 30;

/**
 * Runs a function once without computing anything: every kernel it calls becomes a node, every variable it reads a
 * read of a resource, every variable it assigns an assignment after all reads.
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
  const reads = readVariables(backend, variables, add, known);

  const lookUp = (id: number): Recorded => known.get(id) ?? constants.find(id) ?? reads(id) ?? constants.capture(id);

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
    const entries = changed.map((variable) => variables.find((entry) => entry.variable === variable)!);
    const after = entries.flatMap(({ name }) => reads.nameOf(name) ?? []).map((read) => `^${read}`);
    const inputsOf = [...entries.map(({ name }) => `variable/${name}`), ...refs, ...after];
    updates.push(add(op, inputsOf, attributes));
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
      const assigned = changed.map(({ name, variable }) => assign(name, refOf(variable), reads.nameOf(name), add));
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

type Add = (op: string, inputs: string[], attributes: Record<string, AttributeValue>, label?: string) => string;

/** Reads of variables, each once for a recording; by the handle that the variable's tensor has in tfjs. */
function readVariables(
  backend: NativeBackend,
  variables: readonly ProgramVariable[],
  add: Add,
  known: Map<number, Recorded>,
) {
  const byId = new Map(variables.map((entry) => [backend.getInputTensorIds([entry.variable])[0]!, entry]));
  const readNodes = new Map<string, string>();
  const find = (id: number): Recorded | undefined => {
    const entry = byId.get(id);
    if (entry === undefined) return undefined;
    const { shape } = entry.variable;
    const dtype = DATA_TYPE[entry.variable.dtype as 'float32' | 'int32'];
    const handle = `variable/${entry.name}`;
    const ref = add('ReadVariableOp', [handle], { dtype: { kind: 'type', value: dtype } }, 'read');
    readNodes.set(entry.name, ref);
    const recorded = { ref, shape, dtype, values: undefined };
    known.set(id, recorded);
    return recorded;
  };
  return Object.assign(find, { nameOf: (name: string) => readNodes.get(name) });
}

/** The assignment of a variable, ordered after the function's own read of it. */
function assign(name: string, value: Recorded, read: string | undefined, add: Add): string {
  const inputs = [`variable/${name}`, value.ref, ...(read === undefined ? [] : [`^${read}`])];
  return add('AssignVariableOp', inputs, { dtype: { kind: 'type', value: value.dtype } }, 'assign');
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
