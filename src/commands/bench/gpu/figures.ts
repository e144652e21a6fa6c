import type { Size } from './plan.ts';
import type { GpuUse } from './watch.ts';

export const PRECISIONS = ['float32', 'mixed_bfloat16', 'mixed_float16'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** What a process that trained says of itself, as `bench train-step json=true` prints it; PyTorch's says less. */
export interface StepFigures {
  median_ms: number;
  min_ms: number;
  peak_rss_bytes: number;
  parameters: number;
  first_loss: number;
  device?: 'cpu' | 'gpu';
  record_ms?: number;
  first_step_ms?: number;
}

/** A training step at one size and precision; `why` where there are no figures, or they do not count. */
export interface StepRow {
  by: 'harness' | 'pytorch' | 'pytorch-channels-last';
  size: Size;
  precision: Precision;
  /** Whether every stage of the network is computed again for the gradient. */
  recompute: boolean;
  figures?: StepFigures;
  gpu: GpuUse;
  why?: string;
}

export interface FeedFigures {
  images_per_second: number;
  /** Share of the time in which the step waited for its batch. */
  wait_fraction: number;
  steps: number;
  device: 'cpu' | 'gpu';
  /** Whether the harness's own operations ran. */
  native_kernels: boolean;
}

/** A training step fed by the loader. */
export interface FeedRow {
  size: Size;
  precision: Precision;
  figures?: FeedFigures;
  gpu: GpuUse;
  why?: string;
}

/** The losses of the first steps on the processor and on the GPU, from the same weights and batch, in float32. */
export interface LossCheck {
  size: Size;
  cpu: number[];
  /** With every product in full float32. */
  gpu: number[];
  /** The largest relative difference of the two. */
  difference?: number;
  equal: boolean;
  /** Of the losses as training has them, products in TF32 where the GPU does so. */
  difference_as_trained?: number;
  why?: string;
}

/** How many steps' losses are compared, and how far, relatively, they may lie from the processor's. */
export const COMPARED_STEPS = 5;
export const LOSS_TOLERANCE = 1e-3;

/**
 * Of those steps. Adam's first ones move every weight by the rate, whatever its gradient: where that is all but zero, rounding
 * decides the way. EfficientNet-B4 at 256² × 4 with and without the harness's own operations, on one processor: after five
 * steps 4e-2 apart at 1e-3, 3e-5 at this rate.
 */
export const COMPARED_RATE = 1e-5;

/** The largest relative difference of two runs' first losses; undefined where one of them is too short. */
export function lossDifference(wanted: readonly number[], found: readonly number[]): number | undefined {
  if (Math.min(wanted.length, found.length) < COMPARED_STEPS) return undefined;
  const pairs = wanted.slice(0, COMPARED_STEPS).map((value, step) => [value, found[step]!] as const);
  // A loss that is no number must not pass as no difference.
  return pairs.reduce((most, [value, other]) => {
    const difference = Math.abs(other - value) / Math.abs(value);
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(most, difference);
  }, 0);
}

/** Images trained on per second. */
export function imagesPerSecond({ size, figures }: StepRow): number | undefined {
  return figures === undefined ? undefined : (1000 * size.batchSize) / figures.median_ms;
}
