import { DATA_TYPE } from '../graph/graph-def.ts';
import { recordUpdate } from '../graph/recording.ts';
import { tf } from '../tf.ts';

export interface MomentumConstants {
  /** The share of the velocity that stays at each step. */
  momentum: number;
  /** Whether the step looks ahead, to where the velocity would take the weight (Nesterov). */
  nesterov: boolean;
}

/**
 * One step of gradient descent with momentum μ on a weight and its velocity, of one shape: v ← μ·v + g, w ← w − rate·v
 * (Polyak, 1964), or with Nesterov's look ahead w ← w − rate·(g + μ·v) (Sutskever et al., 2013, in the form of PyTorch, whose
 * velocity does not hold the rate). In a graph one native operation that works in place, else the sum of its parts.
 */
export function applyMomentum(
  weight: tf.Variable,
  velocity: tf.Variable,
  gradient: tf.Tensor,
  rate: tf.Scalar,
  { momentum, nesterov }: MomentumConstants,
): void {
  const attributes = {
    T: { kind: 'type', value: DATA_TYPE.float32 },
    use_nesterov: { kind: 'bool', value: nesterov },
  } as const;
  const update = { op: 'ResourceApplyMomentum', attributes, variables: [weight, velocity] };
  if (recordUpdate(update, () => [rate, gradient, tf.scalar(momentum)])) return;
  velocity.assign(velocity.mul(momentum).add(gradient));
  const change = nesterov ? velocity.mul(momentum).add(gradient) : velocity;
  weight.assign(weight.sub(change.mul(rate)));
}
