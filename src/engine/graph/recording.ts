import type { tf } from '../tf.ts';
import type { AttributeValue } from './graph-def.ts';

/** What code under recording may ask of the recording under way. */
export interface ActiveRecording {
  /** Adds an operation that changes variables in place. */
  update(update: VariableUpdate, inputs: readonly tf.Tensor[]): void;
  /** Nodes that `work` adds belong to this part of the function. */
  inScope<T>(scope: string, work: () => T): T;
  /** Nodes that `work` adds wait for the operation that makes this tensor. */
  after<T>(tensor: tf.Tensor, work: () => T): T;
}

export interface VariableUpdate {
  op: string;
  attributes: Record<string, AttributeValue>;
  /** The operation's first inputs. */
  variables: readonly tf.Variable[];
}

let current: ActiveRecording | undefined;

/** Lets `work` be recorded; recordings do not nest. */
export function whileRecording<T>(recording: ActiveRecording, work: () => T): T {
  if (current !== undefined) throw new Error('Expected one recording at a time but another one is under way.');
  current = recording;
  try {
    return work();
  } finally {
    current = undefined;
  }
}

/**
 * Records an operation that changes variables in place, if a recording is under way; false when none is.
 * @param inputs made only when needed: the operation's inputs after its variables
 */
export function recordUpdate(update: VariableUpdate, inputs: () => readonly tf.Tensor[]): boolean {
  if (current === undefined) return false;
  current.update(update, inputs());
  return true;
}

/** Marks what `work` records as a part of the function, so that passes over the graph can find it; else just works. */
export function inScope<T>(scope: string, work: () => T): T {
  return current === undefined ? work() : current.inScope(scope, work);
}

/**
 * Computes something that was computed before once more, rather than keeping it: what `work` records waits for `tensor`.
 * Without such an order TensorFlow merges equal operations and keeps the first one's result all the while.
 */
export function recomputeAfter<T>(tensor: tf.Tensor, work: () => T): T {
  return current === undefined ? work() : current.after(tensor, work);
}
