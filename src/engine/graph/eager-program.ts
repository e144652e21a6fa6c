import { tf } from '../tf.ts';
import type { TensorValues } from './binding.ts';
import type { Program } from './program.ts';
import type { InputSpec, ProgramVariable } from './record.ts';

/**
 * The same functions run kernel by kernel: the reference that a compiled program is held against, and a way to step
 * through one with a debugger.
 */
export function createEagerProgram(variables: readonly ProgramVariable[]): Program {
  const functions = new Map<string, { inputs: Record<string, InputSpec>; fn: Parameters<Program['define']>[2] }>();
  const byName = new Map(variables.map(({ name, variable }) => [name, variable]));
  return {
    define: (name, inputs, fn) => {
      functions.set(name, { inputs, fn });
    },
    load: () => {},
    run: (name, feeds) =>
      readAll(() => {
        const { inputs, fn } = functions.get(name)!;
        const fed = Object.entries(inputs).map(([input, spec]) => [input, toTensor(spec, feeds[input]!)] as const);
        return fn(Object.fromEntries(fed));
      }),
    read: (names) => names.map((name) => byName.get(name)!.dataSync().slice() as TensorValues),
    write: (values) => {
      for (const [name, data] of values) {
        const variable = byName.get(name)!;
        tf.tidy(() => variable.assign(tf.tensor(data.slice(), variable.shape, variable.dtype)));
      }
    },
    countKernels: () => 0,
    estimateBytes: () => 0,
    dispose: () => {},
  };
}

function readAll(work: () => Record<string, tf.Tensor>): Record<string, TensorValues> {
  let values: Record<string, TensorValues> = {};
  tf.tidy(() => {
    values = Object.fromEntries(
      Object.entries(work()).map(([name, tensor]) => [name, tensor.dataSync() as TensorValues]),
    );
  });
  return values;
}

/** tfjs has no bytes: they come as float32, and casting them to it changes nothing. */
function toTensor({ shape, dtype }: InputSpec, values: TensorValues): tf.Tensor {
  return tf.tensor(values.slice(), [...shape], dtype === 'int32' ? 'int32' : 'float32');
}
