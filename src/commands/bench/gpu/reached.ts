import { LOSS_TOLERANCE } from './figures.ts';
import type { Measured } from './measure.ts';

/** Something the check is about, in words, and whether it is so; `met` is left out where it is not known. */
export interface Reached {
  goal: string;
  measured: string;
  met?: boolean;
}

/** A process that computes on a GPU holds more than this there: CUDA's own context alone does. */
const LEAST_BYTES = 100e6;

/** Whether the GPU was really used, and whether its losses are the processor's. */
export function reachedOf({ losses, steps }: Measured): Reached[] {
  const own = steps.filter(({ by, figures }) => by === 'harness' && figures !== undefined);
  const devices = [...new Set(own.map(({ figures }) => figures!.device ?? 'unknown'))];
  const seen = own.filter(({ gpu }) => gpu.peak_bytes !== undefined);
  const least = seen.reduce((a, b) => (b.gpu.peak_bytes! < a.gpu.peak_bytes! ? b : a), seen[0]!)?.gpu;
  const whose = least?.of === 'device' ? 'gained by the GPU (process ids are hidden here)' : 'held by the process';
  const { difference } = losses;
  return [
    {
      goal: 'TensorFlow says that it computes on the GPU',
      measured: devices.join(', ') || 'nothing ran',
      ...(own.length === 0 ? {} : { met: devices.join() === 'gpu' }),
    },
    {
      goal: '`nvidia-smi` sees memory of each process',
      measured:
        least === undefined ? 'it does not tell' : `at least ${(least.peak_bytes! / 1e9).toFixed(2)} GB ${whose}`,
      ...(least === undefined ? {} : { met: seen.length === own.length && least.peak_bytes! > LEAST_BYTES }),
    },
    {
      goal: `losses of the first steps as on the processor, float32, to ${LOSS_TOLERANCE}`,
      measured: difference === undefined ? (losses.why ?? 'not known') : difference.toExponential(1),
      ...(difference === undefined ? {} : { met: losses.equal }),
    },
  ];
}
