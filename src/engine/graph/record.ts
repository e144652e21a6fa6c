import { tf } from '../tf.ts';
import type { NativeBackend, NativeBinding, TensorMetadata, TensorValues } from './binding.ts';
import { createConstants } from './constants.ts';
import { encodeAttributes } from './encode-attributes.ts';
import { type AttributeValue, DATA_TYPE, type RecordedNode } from './graph-def.ts';
import { probeOutputs } from './probe.ts';
import { type ActiveRecording, whileRecording } from './recording.ts';
import { callSite, refuseOperation, refusingRandomness } from './refuse.ts';
import { type AddNode, createResources, type ProgramVariable, type Recorded } from './resources.ts';
import { inferOutputs } from './shape-rules.ts';
import { restoringTape } from './tape.ts';

export type { ProgramVariable } from './resources.ts';

/** An input of a recorded function, fed anew at every run. */
export interface InputSpec {
  shape: readonly number[];
  dtype: 'float32' | 'int32' | 'uint8';
}

export interface Recording {
  /** In an order in which every node comes after those that it takes from. */
  nodes: RecordedNode[];
  /** Where each result comes from: `node:output`. */
  outputs: Record<string, string>;
  /** The node that comes after everything: results, assignments and updates. */
  done: string;
}

/** Handles that we give out begin here, far above those that the binding counts up to. */
const FIRST_SYMBOLIC_ID = 2 ** 30;
/** What assigns variables is no part of the function, nor of its gradients. */
export const ASSIGNMENTS = '(assignments)';

/**
 * Runs a function once without running its kernels (one of unknown output shape is asked once, on zeros): every kernel
 * it calls becomes a node, every variable it reads a read of a resource, every variable it assigns an assignment after
 * all reads. Reads and updates of a variable happen in the order in which the function makes them.
 * Throws where the function looks at a value or draws a random number, since that would be frozen into the graph, and
 * where a shape depends on data.
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
  const nodes: RecordedNode[] = [];
  let nextId = FIRST_SYMBOLIC_ID;
  let scope = '';
  let waitFor: string[] = [];

  const add: AddNode = (op, inputRefs, attributes, outputs, label = op) => {
    const name = `${prefix}/${scope === '' || scope === ASSIGNMENTS ? '' : `${scope}/`}${label}_${nodes.length}`;
    // Constants have no inputs, and grappler wants none that wait.
    const order = op === 'Const' ? [] : waitFor;
    nodes.push({ name, op, inputs: [...inputRefs, ...order], attributes, outputs, scope });
    return name;
  };
  const constants = createConstants(real, add);
  const resources = createResources(backend, variables, add, known);

  const lookUp = (id: number): Recorded =>
    known.get(id) ?? constants.find(id) ?? resources.read(id) ?? constants.capture(id);
  const refOf = (tensor: tf.Tensor) => lookUp(backend.getInputTensorIds([tensor])[0]!).ref;

  const handleOf = (recorded: Recorded): TensorMetadata => {
    const id = nextId++;
    known.set(id, recorded);
    return { id, shape: [...recorded.shape], dtype: recorded.dtype };
  };
  const give = (ref: string, shape: readonly number[], dtype: number) =>
    handleOf({ ref, shape, dtype, values: undefined });

  const executeOp: NativeBinding['executeOp'] = (op, attributes, ids, count) => {
    refuseOperation(prefix, op);
    const operands = ids.map(lookUp);
    const truthful = attributes.map((attribute) =>
      // tfjs has no uint8 and calls it int32.
      op === 'Cast' && attribute.name === 'SrcT' ? { ...attribute, value: operands[0]!.dtype } : attribute,
    );
    if (op === 'Cast' && changesNothing(truthful)) return [handleOf(operands[0]!)];
    const outputs = inferOutputs(op, operands, truthful) ?? probeOutputs(real, op, truthful, operands, count);
    const refs = operands.map(({ ref }) => ref);
    const node = add(op, refs, encodeAttributes(real, truthful), outputs);
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
      throw new Error(
        `Expected no value to be read while recording ${prefix} but the result of ${maker} was read${callSite()}.`,
      );
    },
  };
  // The binding's own properties are read-only: an object in front of it, defined rather than assigned.
  const recordingBinding = Object.create(real, Object.getOwnPropertyDescriptors(replaced)) as NativeBinding;

  const updates: string[] = [];
  const active: ActiveRecording = {
    update: ({ op, attributes, variables: changed }, operands) => {
      const refs = operands.map(refOf);
      updates.push(
        resources.change(changed, (handles, after) => add(op, [...handles, ...refs, ...after], attributes, [])),
      );
    },
    inScope: (name, work) => {
      const outer = scope;
      scope = name;
      try {
        return work();
      } finally {
        scope = outer;
      }
    },
    after: (tensor, work) => {
      const outer = waitFor;
      waitFor = [`^${refOf(tensor).split(':')[0]!}`];
      try {
        return work();
      } finally {
        waitFor = outer;
      }
    },
  };

  const addInput = ([name, { shape, dtype }]: [string, InputSpec]): [string, tf.Tensor] => {
    const type = DATA_TYPE[dtype];
    const attributes: Record<string, AttributeValue> = {
      dtype: { kind: 'type', value: type },
      shape: { kind: 'shape', value: shape },
    };
    const node = `${prefix}/${name}`;
    nodes.push({ name: node, op: 'Placeholder', inputs: [], attributes, outputs: [{ shape, dtype: type }], scope: '' });
    return [name, backend.createOutputTensor(give(node, shape, type))];
  };

  const assign = ({ variable }: ProgramVariable): string => {
    const value = lookUp(backend.getInputTensorIds([variable])[0]!);
    const dtype: AttributeValue = { kind: 'type', value: value.dtype };
    return resources.change([variable], (handles, after) =>
      add('AssignVariableOp', [...handles, value.ref, ...after], { dtype }, [], 'assign'),
    );
  };

  /** TensorFlow refuses to give back what it was fed: a node of its own passes it on. */
  const giveBack = (ref: string): string => {
    const fed = nodes.find(({ name, op }) => op === 'Placeholder' && name === ref);
    if (fed === undefined) return ref;
    return add('Identity', [ref], { T: { kind: 'type', value: fed.outputs[0]!.dtype } }, fed.outputs, 'fed');
  };

  const recordAll = (before: readonly tf.Tensor[]): Recording => {
    const fed = Object.fromEntries(Object.entries(inputs).map(addInput));
    const results = whileRecording(active, () => fn(fed));
    scope = ASSIGNMENTS;
    const outputs = Object.entries(results).map(([name, tensor]) => [name, giveBack(refOf(tensor))] as const);
    const changed = variables.filter(({ variable }, index) => variable.dataId !== before[index]!.dataId);
    const assigned = changed.map(assign);
    const nodesOfOutputs = outputs.map(([, ref]) => ref.split(':')[0]!);
    const after = [...assigned, ...updates, ...nodesOfOutputs].map((node) => `^${node}`);
    const type: AttributeValue = { kind: 'type', value: DATA_TYPE.float32 };
    const whole = [{ shape: [], dtype: DATA_TYPE.float32 }];
    const done = add('Identity', [constants.scalar(0), ...after], { T: type }, whole, 'done');
    return { nodes, outputs: Object.fromEntries(outputs), done };
  };

  backend.binding = recordingBinding;
  const kept = variables.map(({ variable }) => tf.keep(variable.clone()));
  try {
    let result: Recording | undefined;
    restoringTape(() =>
      refusingRandomness(prefix, () =>
        tf.tidy(() => {
          result = recordAll(kept);
        }),
      ),
    );
    return result!;
  } finally {
    variables.forEach(({ variable }, index) => {
      if (variable.dataId !== kept[index]!.dataId) variable.assign(kept[index]!);
      kept[index]!.dispose();
    });
    backend.binding = real;
  }
}

/** A cast from a type to itself, as tfjs makes for gradients: its result is what it was given. */
function changesNothing(attributes: readonly { name: string; value?: unknown }[]): boolean {
  const typeOf = (name: string) => attributes.find((attribute) => attribute.name === name)?.value;
  return typeOf('SrcT') === typeOf('DstT');
}
