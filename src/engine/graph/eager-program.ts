import { tf } from '../tf.ts';
import type { TensorValues } from './binding.ts';
import type { Program } from './program.ts';
import type { InputSpec, ProgramVariable } from './record.ts';

/**
 * The same functions run kernel by kernel: the reference that a compiled program is held against, and a way to step
 * through one with a debugger.
 */
export function createEagerProgram(variables: readonly ProgramVariable[]): Program {
  const functions = new Map<string, EagerFunction>();
  const byName = new Map(variables.map(({ name, variable }) => [name, variable]));
  return {
    define: (name, inputs, fn, _rewrites, guard) => {
      functions.set(name, { inputs, fn, guard });
    },
    load: () => {},
    run: (name, feeds) => {
      const { inputs, fn, guard } = functions.get(name)!;
      const work = () =>
        readAll(() => {
          const fed = Object.entries(inputs).map(([input, spec]) => [input, toTensor(spec, feeds[input]!)] as const);
          return fn(Object.fromEntries(fed));
        });
      return guard === undefined ? work() : undoingUnless(guard, variables, work);
    },
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

interface EagerFunction {
  inputs: Record<string, InputSpec>;
  fn: Parameters<Program['define']>[2];
  guard: string | undefined;
}

/** Runs `work`; where its result `guard` is 0 every variable is what it was before. An assigned tensor is a new one: none is copied. */
function undoingUnless(
  guard: string,
  variables: readonly ProgramVariable[],
  work: () => Record<string, TensorValues>,
): Record<string, TensorValues> {
  const before = variables.map(({ variable }) => tf.keep(variable.clone()));
  try {
    const results = work();
    if (results[guard]![0] === 0) {
      variables.forEach(({ variable }, index) => {
        if (variable.dataId !== before[index]!.dataId) variable.assign(before[index]!);
      });
    }
    return results;
  } finally {
    for (const tensor of before) tensor.dispose();
  }
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
