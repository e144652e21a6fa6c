import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expected } from '../../core/errors.ts';
import { tf } from '../tf.ts';
import type { NativeBackend, TensorValues } from './binding.ts';
import { estimatePeakBytes } from './estimate.ts';
import { type AttributeValue, DATA_TYPE, encodeSavedModel, type GraphNode } from './graph-def.ts';
import { onlyWhere } from './guard.ts';
import { keepSums } from './keep-sums.ts';
import { type InputSpec, type ProgramVariable, type Recording, record } from './record.ts';
import type { Rewrite } from './rewrite.ts';
import { product } from './shapes.ts';
import { spreadLate } from './spread-late.ts';

type Inputs = Record<string, InputSpec>;
type Results = Record<string, tf.Tensor>;

/** Several tfjs functions compiled into one TensorFlow session, sharing variables that stay on the device. */
export interface Program {
  /**
   * Records a function of the given inputs; before `load`. Throws where it cannot be recorded (see `record`).
   * @param rewrites passes over its graph, in order; none where functions run kernel by kernel
   * @param guard a result, a scalar of 1 or 0: where it is 0 the function leaves all variables as they are (see `onlyWhere`)
   */
  define(
    name: string,
    inputs: Inputs,
    fn: (inputs: Record<string, tf.Tensor>) => Results,
    rewrites?: readonly Rewrite[],
    guard?: string,
  ): void;
  /** Hands the graph to TensorFlow and moves the variables' values there; tfjs's own copies are given up. */
  load(): void;
  /** Runs a function; every input must be fed. Returns its results by name. */
  run(name: string, feeds: Record<string, TensorValues>): Record<string, TensorValues>;
  /** Values of variables by name. */
  read(names: readonly string[]): TensorValues[];
  /** Sets variables by name. */
  write(values: ReadonlyMap<string, TensorValues>): void;
  /** How many operations a function runs, constants and inputs left out; 0 kernel by kernel. */
  countKernels(name: string): number;
  /** What the function that needs most needs at once, variables included, as its graph tells; 0 kernel by kernel. */
  estimateBytes(): number;
  dispose(): void;
}

/** A program over variables of a model and of its optimizer; all begin with the values that they have in tfjs. */
export function createProgram(variables: readonly ProgramVariable[]): Program {
  const backend = tf.backend() as unknown as NativeBackend;
  const { binding } = backend;
  const functions = new Map<string, { inputs: Inputs; recording: Recording }>();
  const slots = new Map(variables.map((entry, index) => [entry.name, { ...entry, index }]));
  let session: number | undefined;

  const call = (
    feeds: [node: string, shape: readonly number[], dtype: number, values: TensorValues][],
    fetches: string[],
  ) => {
    if (session === undefined) throw new Error('Expected a loaded program but `load` has not been called.');
    const ids = feeds.map(([, shape, dtype, values]) => binding.createTensor(shape, dtype, values));
    try {
      const names = feeds.map(([node]) => `${node}:0`).join(',');
      const outputs = binding.runSavedModel(session, ids, names, fetches.map(withOutput).join(','));
      const values = outputs.map(({ id }) => binding.tensorDataSync(id));
      for (const { id } of outputs) binding.deleteTensor(id);
      return values;
    } finally {
      for (const id of ids) binding.deleteTensor(id);
    }
  };

  const find = (name: string) => {
    const slot = slots.get(name);
    if (slot === undefined) throw new Error(expected('a variable of the program', 'its name', name));
    return slot;
  };

  const write = (values: ReadonlyMap<string, TensorValues>) => {
    const entries = [...values].map(([name, data]) => ({ ...find(name), data }));
    for (const group of inGroups(entries, ({ data }) => data.byteLength)) {
      call(
        group.map(({ index, variable, data }) => [`write/${index}`, variable.shape, dtypeOf(variable), data]),
        group.map(({ index }) => `write/${index}/done`),
      );
    }
  };

  return {
    define: (name, inputs, fn, rewrites = [], guard) => {
      const recorded = record(name, inputs, variables, fn);
      const rewritten = [spreadLate, keepSums, ...rewrites].reduce((current, rewrite) => rewrite(current), recorded);
      const recording = guard === undefined ? rewritten : onlyWhere(rewritten, guard);
      functions.set(name, { inputs, recording });
    },
    load: () => {
      const recorded = [...functions.values()].flatMap(({ recording }) => recording.nodes);
      session = loadGraph(backend, [...variables.flatMap(variableNodes), ...recorded]);
      for (const group of inGroups(variables, ({ variable }) => 4 * variable.size)) {
        write(new Map(group.map(({ name, variable }) => [name, variable.dataSync() as TensorValues])));
        for (const { variable } of group) giveUp(backend, variable);
      }
    },
    run: (name, feeds) => {
      const { inputs, recording } = functions.get(name)!;
      const fed = Object.entries(inputs).map(
        ([input, { shape, dtype }]): [string, readonly number[], number, TensorValues] => {
          const values = feeds[input];
          if (values?.length === product(shape)) return [`${name}/${input}`, shape, DATA_TYPE[dtype], values];
          throw new Error(expected(`${product(shape)} values`, `the input ${input} of ${name}`, values?.length));
        },
      );
      const names = Object.keys(recording.outputs);
      const values = call(fed, [...Object.values(recording.outputs), recording.done]);
      return Object.fromEntries(names.map((output, index) => [output, values[index]!]));
    },
    read: (names) => {
      const found = names.map(find);
      const groups = inGroups(found, ({ variable }) => 4 * variable.size);
      return groups.flatMap((group) =>
        call(
          [],
          group.map(({ index }) => `read/${index}`),
        ),
      );
    },
    write,
    countKernels: (name) => functions.get(name)!.recording.nodes.filter(({ op }) => !NO_KERNEL.has(op)).length,
    estimateBytes: () => {
      const held = variables.reduce((bytes, { variable }) => bytes + 4 * variable.size, 0);
      return held + Math.max(0, ...[...functions.values()].map(({ recording }) => estimatePeakBytes(recording.nodes)));
    },
    dispose: () => {
      if (session !== undefined) binding.deleteSavedModel(session);
      session = undefined;
    },
  };
}

/** Nodes that compute nothing when they run. */
const NO_KERNEL = new Set([
  ...['Const', 'Placeholder', 'Fill', 'ReadVariableOp', 'Identity', 'Reshape', 'Switch', 'Merge'],
]);

/** Each call that writes or reads holds copies of its values: this many bytes of them at most, or one variable. */
const GROUP_BYTES = 2 ** 27;

function inGroups<T>(entries: readonly T[], bytesOf: (entry: T) => number): T[][] {
  const groups: T[][] = [];
  let left = 0;
  for (const entry of entries) {
    left -= bytesOf(entry);
    if (left < 0 || groups.length === 0) {
      groups.push([]);
      left = GROUP_BYTES - bytesOf(entry);
    }
    groups.at(-1)!.push(entry);
  }
  return groups;
}

/** The resource itself, a read of it as a whole, and a write of it as a whole. */
function variableNodes({ name, variable }: ProgramVariable, index: number): GraphNode[] {
  const dtype: AttributeValue = { kind: 'type', value: dtypeOf(variable) };
  const shape: AttributeValue = { kind: 'shape', value: variable.shape };
  const handle = `variable/${name}`;
  const shared: AttributeValue = { kind: 'string', value: handle };
  return [
    { name: handle, op: 'VarHandleOp', inputs: [], attributes: { dtype, shape, shared_name: shared } },
    { name: `read/${index}`, op: 'ReadVariableOp', inputs: [handle], attributes: { dtype } },
    { name: `write/${index}`, op: 'Placeholder', inputs: [], attributes: { dtype, shape } },
    // What is fed shares its memory with JavaScript: a variable must own its own.
    { name: `write/${index}/copy`, op: 'DeepCopy', inputs: [`write/${index}`], attributes: { T: dtype } },
    {
      name: `write/${index}/assign`,
      op: 'AssignVariableOp',
      inputs: [handle, `write/${index}/copy`],
      attributes: { dtype },
    },
    { name: `write/${index}/zero`, op: 'Const', inputs: [], attributes: zeroAttributes },
    {
      name: `write/${index}/done`,
      op: 'Identity',
      inputs: [`write/${index}/zero`, `^write/${index}/assign`],
      attributes: { T: { kind: 'type', value: DATA_TYPE.float32 } },
    },
  ];
}

const zeroAttributes: Record<string, AttributeValue> = {
  dtype: { kind: 'type', value: DATA_TYPE.float32 },
  value: { kind: 'tensor', dtype: DATA_TYPE.float32, shape: [], bytes: new Uint8Array(4) },
};

/** The binding reads graphs from a folder, so the graph goes through one for a moment. */
function loadGraph(backend: NativeBackend, nodes: readonly GraphNode[]): number {
  const folder = mkdtempSync(join(tmpdir(), 'tensorflow-graph-'));
  try {
    writeFileSync(join(folder, 'saved_model.pb'), encodeSavedModel(nodes));
    return backend.binding.loadSavedModel(folder, 'serve');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Frees tfjs's copy of a variable that now lives in a session; reading it through tfjs fails from here on. */
function giveUp(backend: NativeBackend, variable: tf.Variable): void {
  const [id] = backend.getInputTensorIds([variable]);
  backend.binding.deleteTensor(id!);
  backend.tensorMap.get(variable.dataId).id = -1;
}

function dtypeOf(variable: tf.Variable): number {
  return DATA_TYPE[variable.dtype as 'float32' | 'int32'];
}

function withOutput(ref: string): string {
  return ref.includes(':') ? ref : `${ref}:0`;
}
