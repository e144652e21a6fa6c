import type { NamedTensors } from '../core/safetensors.ts';
import type { LossScale } from './loss-scale.ts';

/** A loss or gradients that are no numbers. */
export interface NonFinite {
  loss: number;
  /** The weights whose gradients are none, in the order of the network's layers; none known where the loss is none in float16. */
  gradients: string[];
  /** What dropout drew from, [2]. */
  seed: Int32Array;
}

/** Where a step stands, beside its weights. */
export interface StepState {
  /** The optimizer's slots, gradients gathered for the next update, and the kept average, those that there are. */
  arrays: NamedTensors;
  counters: {
    /** Updates done: the optimizer's step. */
    updates: number;
    /** Batches trained on: what dropout draws from. */
    batches: number;
    /** Images whose gradients wait for an update. */
    waiting: number;
    /** Updates that the kept average took in. */
    followed: number;
    loss_scale: LossScale;
  };
}
