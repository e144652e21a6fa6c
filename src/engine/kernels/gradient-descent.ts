import { DATA_TYPE } from '../graph/graph-def.ts';
import { recordUpdate } from '../graph/recording.ts';
import type { tf } from '../tf.ts';

/** weight ← weight − rate·gradient, of one shape; in a graph one native operation that works in place. */
export function applyGradientDescent(weight: tf.Variable, gradient: tf.Tensor, rate: tf.Scalar): void {
  const attributes = { T: { kind: 'type', value: DATA_TYPE.float32 } } as const;
  const update = { op: 'ResourceApplyGradientDescent', attributes, variables: [weight] };
  if (recordUpdate(update, () => [rate, gradient])) return;
  weight.assign(weight.sub(gradient.mul(rate)));
}
