import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { resolvePath } from '../../config/paths.ts';
import { readSettings } from '../../config/settings.ts';
import { type StepExperiment, stepKeys } from '../../config/step-experiment.ts';
import { createRng } from '../../core/random.ts';
import { type NamedTensors, readSafetensors } from '../../core/safetensors.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { Batch } from '../../data/batch.ts';
import { type LoadedEngine, loadEngine } from '../../engine/load.ts';
import type { CommandArgs } from '../command.ts';

export { type StepExperiment, stepKeys };

/** Calls that are not timed: the first builds TensorFlow's plans, the second fills its pools. */
export const WARM_UP = 2;

/** What a bench of the step works on. */
export interface StepBench {
  experiment: StepExperiment;
  engine: LoadedEngine;
  batch: Batch;
  /** To begin with; undefined: as the seed has it. */
  weights: NamedTensors | undefined;
}

/** Reads the words of a bench, loads TensorFlow and makes (or reads) the weights and the batch. */
export async function prepareStepBench(args: CommandArgs, terminal: Terminal): Promise<StepBench> {
  const experiment = await stepKeys(args.values);
  const { cacheDir } = await readSettings(args.cwd);
  const { device, deterministic, resolution, batch_size: count } = experiment;
  const engine = await loadEngine({ device, deterministic, cacheDir, signal: args.signal }, terminal);
  if (experiment.weights === undefined) {
    return { experiment, engine, weights: undefined, batch: makeBatch(experiment.seed, count, resolution) };
  }
  const stored = await readSafetensors(resolvePath(experiment.weights, args.cwd));
  const bytes = (name: string) => Uint8Array.from(stored.get(name)?.data ?? []);
  const batch = { ...makeBatch(0, count, resolution), images: bytes('batch/images'), masks: bytes('batch/masks') };
  return { experiment, engine, batch, weights: new Map([...stored].filter(([name]) => !name.startsWith('batch/'))) };
}

/** Noise with a rectangle of mask in each image, as good as any picture for measuring. */
function makeBatch(seed: number, count: number, resolution: number): Batch {
  const rng = createRng(seed, 'bench');
  const area = resolution ** 2;
  const images = Uint8Array.from({ length: count * area }, () => rng.integer(0, 255));
  const inside = (pixel: number) => pixel % resolution < resolution / 4 && (pixel % area) / resolution < resolution / 4;
  const masks = Uint8Array.from(images, (_, pixel) => (inside(pixel) ? 1 : 0));
  return { ids: Array.from({ length: count }, (_, index) => `noise-${index}`), count, resolution, images, masks };
}

/** The most memory that this process has held so far, in bytes (Linux's VmHWM; elsewhere what Node knows of it). */
export function peakRssBytes(): number {
  try {
    const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))!;
    return Number(kibibytes) * 1024;
  } catch {
    return process.resourceUsage().maxRSS * 1024;
  }
}

/** Milliseconds of each call of `work`, after those that warm up. */
export function timeCalls(calls: number, work: () => void): number[] {
  for (let call = 0; call < WARM_UP; call++) work();
  return Array.from({ length: calls }, () => {
    const started = performance.now();
    work();
    return performance.now() - started;
  });
}

/** The middle of an odd number of values, the mean of the middle two of an even one. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The processor in words, for a report. */
export function describeProcessor(): string {
  return `${cpus()[0]?.model.trim() ?? 'unknown processor'}, ${availableParallelism()} cores`;
}
