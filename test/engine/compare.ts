import assert from 'node:assert/strict';
import { createEagerProgram } from '../../src/engine/graph/eager-program.ts';
import { createProgram } from '../../src/engine/graph/program.ts';
import type { tf } from '../../src/engine/tf.ts';

/** An array as it is stored: row by row. */
export interface Stored {
  shape: readonly number[];
  values: ArrayLike<number>;
}

/** The ways of running a function: each gives the same. */
export const EXECUTIONS = { graph: createProgram, eager: createEagerProgram } as const;
export type Execution = keyof typeof EXECUTIONS;

/** Results of a function of float32 inputs, run as a graph or kernel by kernel. */
export function runFunction(
  execution: Execution,
  inputs: Record<string, Stored>,
  fn: (inputs: Record<string, tf.Tensor>) => Record<string, tf.Tensor>,
): Record<string, ArrayLike<number>> {
  const program = EXECUTIONS[execution]([]);
  const entries = Object.entries(inputs);
  const specs = entries.map(([name, { shape }]) => [name, { shape, dtype: 'float32' as const }] as const);
  program.define('f', Object.fromEntries(specs), fn);
  program.load();
  try {
    return program.run('f', Object.fromEntries(entries.map(([name, { values }]) => [name, Float32Array.from(values)])));
  } finally {
    program.dispose();
  }
}

/** The largest difference as a share of the largest wanted value; infinite where a number is none. */
export function deviation(actual: ArrayLike<number>, wanted: ArrayLike<number>): number {
  assert.equal(actual.length, wanted.length, 'number of values');
  let [scale, difference] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    scale = Math.max(scale, Math.abs(wanted[i]!));
    const here = Math.abs(actual[i]! - wanted[i]!);
    if (!(here <= difference)) difference = Number.isNaN(here) ? Number.POSITIVE_INFINITY : here;
  }
  return difference === 0 ? 0 : difference / scale;
}

/** Fails where the largest difference is more than this share of the largest wanted value. */
export function assertWithin(
  tolerance: number,
  actual: ArrayLike<number>,
  wanted: ArrayLike<number>,
  what: string,
): void {
  const found = deviation(actual, wanted);
  assert.ok(found <= tolerance, `${what} differs by ${found.toExponential(1)} of its scale, ${tolerance} is allowed`);
}
