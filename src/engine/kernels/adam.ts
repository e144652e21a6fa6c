import { DATA_TYPE } from '../graph/graph-def.ts';
import { recordUpdate } from '../graph/recording.ts';
import { tf } from '../tf.ts';

export interface AdamConstants {
  beta1: number;
  beta2: number;
  epsilon: number;
}

/**
 * One step of Adam on a weight and its two moments, all of one shape: m ← β₁m + (1−β₁)g, v ← β₂v + (1−β₂)g²,
 * w ← w − rate·m/(√v + ε) (Kingma and Ba, 2015, section 2's order; `rate` holds the bias corrections). In a graph it is
 * one native operation that works in place, else the sum of its parts.
 */
export function applyAdam(
  weight: tf.Variable,
  m: tf.Variable,
  v: tf.Variable,
  gradient: tf.Tensor,
  rate: tf.Scalar,
  { beta1, beta2, epsilon }: AdamConstants,
): void {
  const scalars = () => {
    // Powers of β of zero: the operation's own corrections become 1.
    return [tf.scalar(0), tf.scalar(0), rate, tf.scalar(beta1), tf.scalar(beta2), tf.scalar(epsilon)];
  };
  const attributes = { T: { kind: 'type', value: DATA_TYPE.float32 } } as const;
  const update = { op: 'ResourceApplyAdam', attributes, variables: [weight, m, v] };
  if (recordUpdate(update, () => [...scalars(), gradient])) return;
  m.assign(m.mul(beta1).add(gradient.mul(1 - beta1)));
  v.assign(v.mul(beta2).add(gradient.square().mul(1 - beta2)));
  weight.assign(weight.sub(m.div(v.sqrt().add(epsilon)).mul(rate)));
}
