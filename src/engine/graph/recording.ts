import type { tf } from '../tf.ts';
import type { AttributeValue } from './graph-def.ts';

/** What a kernel may ask of the recording under way: an operation that changes variables in place. */
export type UpdateRecorder = (update: VariableUpdate, inputs: readonly tf.Tensor[]) => void;

export interface VariableUpdate {
  op: string;
  attributes: Record<string, AttributeValue>;
  /** The operation's first inputs. */
  variables: readonly tf.Variable[];
}

let current: UpdateRecorder | undefined;

/** Lets `work` be recorded by `recorder`; recordings do not nest. */
export function whileRecording<T>(recorder: UpdateRecorder, work: () => T): T {
  if (current !== undefined) throw new Error('Expected one recording at a time but another one is under way.');
  current = recorder;
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
  current(update, inputs());
  return true;
}
