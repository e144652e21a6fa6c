import { DATA_TYPE } from '../graph/graph-def.ts';
import { recordUpdate } from '../graph/recording.ts';
import type { tf } from '../tf.ts';

/** variable ← variable + value, of one shape; in a graph in place. */
export function addTo(variable: tf.Variable, value: tf.Tensor): void {
  const attributes = { dtype: { kind: 'type', value: DATA_TYPE.float32 } } as const;
  if (recordUpdate({ op: 'AssignAddVariableOp', attributes, variables: [variable] }, () => [value])) return;
  variable.assign(variable.add(value));
}
