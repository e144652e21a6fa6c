import { expected } from '../../core/errors.ts';
import type { tf } from '../tf.ts';
import type { NativeBackend } from './binding.ts';
import { type AttributeValue, DATA_TYPE, type NodeOutput } from './graph-def.ts';
import type { KnownTensor } from './shapes.ts';

/** A variable of a program: tfjs's own object while recording, a resource of TensorFlow's session when it runs. */
export interface ProgramVariable {
  /** Unique within the program. */
  name: string;
  variable: tf.Variable;
}

/** A tensor of the graph being recorded. */
export interface Recorded extends KnownTensor {
  ref: string;
}

/** Adds a node and returns its name. */
export type AddNode = (
  op: string,
  inputs: string[],
  attributes: Record<string, AttributeValue>,
  outputs: readonly NodeOutput[],
  label?: string,
) => string;

/**
 * The variables of one recording. TensorFlow runs nodes in any order that their inputs allow, so each read waits for the
 * last change of its variable, and each change for everything that touched it before.
 */
export function createResources(
  backend: NativeBackend,
  variables: readonly ProgramVariable[],
  add: AddNode,
  known: Map<number, Recorded>,
) {
  const ids = new Map(variables.map(({ variable }) => [variable, backend.getInputTensorIds([variable])[0]!]));
  const byId = new Map(variables.map((entry) => [ids.get(entry.variable)!, entry]));
  const byVariable = new Map(variables.map((entry) => [entry.variable, entry]));
  const touched = new Map<tf.Variable, string[]>();
  const lastChange = new Map<tf.Variable, string>();
  const touch = (variable: tf.Variable, node: string) => {
    touched.set(variable, [...(touched.get(variable) ?? []), node]);
  };

  return {
    /** The value of the variable whose tensor has this handle; undefined where it is no variable's. */
    read: (id: number): Recorded | undefined => {
      const entry = byId.get(id);
      if (entry === undefined) return undefined;
      const { name, variable } = entry;
      const dtype = DATA_TYPE[variable.dtype as 'float32' | 'int32'];
      const last = lastChange.get(variable);
      const inputs = [`variable/${name}`, ...(last === undefined ? [] : [`^${last}`])];
      const attributes: Record<string, AttributeValue> = { dtype: { kind: 'type', value: dtype } };
      const ref = add('ReadVariableOp', inputs, attributes, [{ shape: variable.shape, dtype }], 'read');
      touch(variable, ref);
      const recorded = { ref, shape: variable.shape, dtype, values: undefined };
      known.set(id, recorded);
      return recorded;
    },
    /** Adds a node that changes variables, given their handles and what it must wait for. */
    change: (changed: readonly tf.Variable[], node: (handles: string[], after: string[]) => string): string => {
      const handles = changed.map((variable) => {
        const entry = byVariable.get(variable);
        if (entry !== undefined) return `variable/${entry.name}`;
        throw new Error(expected('a variable of the program', 'an update', variable.name));
      });
      const after = changed.flatMap((variable) => touched.get(variable) ?? []).map((earlier) => `^${earlier}`);
      const name = node(handles, after);
      for (const variable of changed) {
        touch(variable, name);
        lastChange.set(variable, name);
        known.delete(ids.get(variable)!);
      }
      return name;
    },
  };
}
