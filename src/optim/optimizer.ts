import type { tf } from '../engine/tf.ts';

/** How a weight follows its gradient. One definition serves every way of running a step. */
export interface Optimizer {
  /** What is remembered beside each weight, in its shape, beginning at zero. */
  slots: readonly string[];
  /**
   * The rates of one update (counted from 1) for the schedule's learning rate: corrections that need no tensor. Always as many,
   * and each in proportion to the learning rate.
   */
  rates(lr: number, update: number): readonly number[];
  /** Assigns the slots and then the weight. gradient: of the weight's shape; rates: scalars. */
  step(weight: tf.Variable, gradient: tf.Tensor, slots: readonly tf.Variable[], rates: readonly tf.Scalar[]): void;
}
