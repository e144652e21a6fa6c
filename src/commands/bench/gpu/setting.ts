import type { Terminal } from '../../../core/terminal.ts';
import type { StepRow } from './figures.ts';
import { type GpuPlan, type Size, titleOf } from './plan.ts';
import type { GpuWatch } from './watch.ts';

/** What every measurement is given. */
export interface Setting {
  /** `cpu` lets all but the GPU itself be tried. */
  device: 'cpu' | 'gpu';
  plan: GpuPlan;
  watch: GpuWatch;
  /** What processes see of the GPUs, as environment variables. */
  env: Record<string, string>;
  /** For what the processes begin from. */
  folder: string;
  cacheDir: string;
  /** How long a loader feeds a step, at least. */
  feedSeconds: number;
  terminal: Terminal;
  signal: AbortSignal;
}

/** The keys of `bench train-step` for a row, and their values. */
export function stepKeysOf({ plan }: Setting, row: Pick<StepRow, 'size' | 'precision' | 'recompute'>) {
  const { resolution, batchSize } = row.size;
  return {
    'model.encoder': plan.model.encoder,
    'model.decoder': plan.model.decoder,
    'model.recompute': String(row.recompute),
    precision: row.precision,
    resolution: String(resolution),
    batch_size: String(batchSize),
  };
}

/** `512² × 4, mixed_float16, recomputed`. */
export function rowTitle({ size, precision, recompute }: Pick<StepRow, 'size' | 'precision' | 'recompute'>): string {
  return [titleOf(size), precision, ...(recompute ? ['recomputed'] : [])].join(', ');
}

/** The file of weights and batch for a size. */
export type StartOf = (size: Size) => string;
