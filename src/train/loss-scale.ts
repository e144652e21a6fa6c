/** The factor that a float16 loss is multiplied by before its gradient, and how long it has been good. */
export interface LossScale {
  scale: number;
  /** Updates in a row whose gradients were finite at this scale. */
  good: number;
}

export const FIRST_LOSS_SCALE: LossScale = { scale: 2 ** 15, good: 0 };
const GROW_AFTER = 2000;
const LARGEST = 2 ** 24;

/**
 * Dynamic loss scaling (Micikevicius et al., 2018, https://arxiv.org/abs/1710.03740, section 3.2): halved where a
 * gradient overflowed, doubled after 2,000 good updates in a row, never below 1.
 */
export function nextLossScale({ scale, good }: LossScale, finite: boolean): LossScale {
  if (!finite) return { scale: Math.max(1, scale / 2), good: 0 };
  if (good + 1 < GROW_AFTER) return { scale, good: good + 1 };
  return { scale: Math.min(LARGEST, scale * 2), good: 0 };
}
