import type { tf } from '../tf.ts';
import type { TensorValues } from './binding.ts';
import { createProgram } from './program.ts';
import type { InputSpec, ProgramVariable } from './record.ts';
import type { Rewrite } from './rewrite.ts';

/** One tfjs function as a TensorFlow graph. */
export interface Compiled {
  /** Runs the function on new inputs; every one must be given. Returns its results by name. */
  run(feeds: Record<string, TensorValues>): Record<string, TensorValues>;
  /** Values of its variables by name. */
  read(names: readonly string[]): TensorValues[];
  dispose(): void;
}

/**
 * Records a tfjs function once and gives it back compiled. Several functions that share variables are a program (see
 * `createProgram`). Throws where the function cannot be recorded (see `record`).
 * @param options.variables those that the function reads and assigns; they live in the graph from then on
 * @param options.rewrites passes over the graph: recomputation, 16-bit products
 */
export function compile(
  fn: (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
  inputs: Record<string, InputSpec>,
  { variables = [], rewrites = [] }: { variables?: readonly ProgramVariable[]; rewrites?: readonly Rewrite[] } = {},
): Compiled {
  const program = createProgram(variables);
  program.define('compiled', inputs, fn, rewrites);
  program.load();
  return {
    run: (feeds) => program.run('compiled', feeds),
    read: (names) => program.read(names),
    dispose: () => program.dispose(),
  };
}
