import { existsSync } from 'node:fs';
import type { Experiment } from '../config/experiment.ts';
import { resolvePath } from '../config/paths.ts';
import type { Settings } from '../config/settings.ts';
import { configTable } from '../config/show-config.ts';
import { askChild, ChildDied } from '../core/child.ts';
import type { Terminal } from '../core/terminal.ts';
import { countWeighed } from '../data/extra-weights.ts';
import { type CheckpointParts, checkSpace, estimateSpace, freeFor } from './disk-space.ts';
import { findInitialWeights, type InitialWeights } from './initial-weights.ts';
import { openData } from './open-data.ts';
import { explainDeath, gib, type MemoryNeed } from './out-of-memory.ts';

/** What the measuring process is asked. */
export interface DryRunQuestion {
  experiment: Experiment;
  /** What the network starts from. */
  initial: InitialWeights | undefined;
  cacheDir: string;
}

/** What it answers: bytes, and milliseconds of recording, of a training step and of a batch of validation. */
export interface Measured {
  device: 'cpu' | 'gpu';
  parameters: number;
  estimated: number | undefined;
  available: number | undefined;
  peak: number;
  recordMs: number;
  stepMs: number;
  evaluateMs: number;
  checkpoint: CheckpointParts;
}

/** What `dry_run=true` tells, as `json=true` prints it. */
export interface DryRunResult {
  name: string;
  parameters: number;
  peak_rss_bytes: number;
  estimated_bytes: number | undefined;
  available_bytes: number | undefined;
  record_ms: number;
  step_ms: number;
  epoch_s: number;
  total_s: number;
  checkpoint_bytes: number;
  /** What the run will surely write at once, at most, and what its disk has free. */
  least_disk_bytes: number;
  most_disk_bytes: number;
  free_disk_bytes: number;
}

interface DryRunContext {
  cwd: string;
  settings: Settings;
  signal: AbortSignal;
  /** Names of earlier files of the same command, whose runs are not there yet. */
  earlier: ReadonlySet<string>;
}

/** The share that a phantom's folds hold out, where it is not there yet. */
const HELD_OUT = 0.15;

/**
 * Checks everything that a run needs, measures its step in a process of its own, and tells what the run would take; no
 * run is made. The pixel cache is made where the data is there and it is not.
 * Throws UserError where something is missing or the step cannot fit, OutOfMemoryError where it did not.
 */
export async function dryRun(
  experiment: Experiment,
  context: DryRunContext,
  terminal: Terminal,
): Promise<DryRunResult> {
  const { settings, signal } = context;
  const { from } = experiment.init ?? {};
  const comes = from !== undefined && context.earlier.has(from);
  const place = { ...settings, cwd: context.cwd, earlier: new Map() };
  const initial = comes ? undefined : await findInitialWeights(experiment, place);
  const images = await countImages(experiment, context, terminal);
  terminal.say(`${experiment.name}:\n${configTable(experiment)}`);
  const measured = await measure({ experiment, initial, cacheDir: settings.cacheDir }, signal, terminal);
  const result = foresee(experiment, images, measured, await freeFor(settings.runsDir));
  speak(result, measured, images, terminal);
  await checkSpace(settings.runsDir, estimateSpace(experiment, measured.checkpoint, images));
  return result;
}

async function countImages(experiment: Experiment, { cwd, signal }: DryRunContext, terminal: Terminal) {
  const { data } = experiment;
  if (!existsSync(resolvePath(data.root, cwd)) && data.phantom !== undefined) {
    const validation = Math.round(HELD_OUT * data.phantom.images);
    return { train: data.phantom.images - validation, validation };
  }
  const { dataset, split } = await openData(experiment, { cwd, signal }, terminal);
  dataset.close();
  return { train: countWeighed(dataset.images, split.train), validation: split.validation.length };
}

async function measure(question: DryRunQuestion, signal: AbortSignal, terminal: Terminal): Promise<Measured> {
  let need: MemoryNeed | undefined;
  const onNews = (news: { need: MemoryNeed }) => {
    need = news.need;
  };
  try {
    return await askChild(new URL('./dry-run-child.ts', import.meta.url), question, { signal, terminal, onNews });
  } catch (error) {
    if (!(error instanceof ChildDied)) throw error;
    throw explainDeath(error, question.experiment, need);
  }
}

/** What follows for an epoch and the whole run; the averaged weights' statistics and validation are counted in. */
export function foresee(
  experiment: Experiment,
  { train, validation }: { train: number; validation: number },
  measured: Measured,
  free: number,
): DryRunResult {
  const { epochs, swa_epochs, swa, ema, batch_size: batch, validation_batch_size: validationBatch } = experiment;
  const averages = (swa !== undefined || swa_epochs > 0 ? 1 : 0) + (ema !== undefined ? 1 : 0);
  const trainMs = Math.floor(train / batch) * measured.stepMs;
  const validateMs = Math.ceil(validation / validationBatch) * measured.evaluateMs;
  const epochMs = trainMs + validateMs;
  const space = estimateSpace(experiment, measured.checkpoint, { train, validation });
  return {
    name: experiment.name,
    parameters: measured.parameters,
    peak_rss_bytes: measured.peak,
    estimated_bytes: measured.estimated,
    available_bytes: measured.available,
    record_ms: measured.recordMs,
    step_ms: measured.stepMs,
    epoch_s: epochMs / 1000,
    total_s: ((epochs + averages) * epochMs + measured.recordMs) / 1000,
    checkpoint_bytes: space.checkpoint,
    least_disk_bytes: space.least,
    most_disk_bytes: space.most,
    free_disk_bytes: free,
  };
}

function speak(
  result: DryRunResult,
  { device }: Measured,
  { train, validation }: { train: number; validation: number },
  terminal: Terminal,
): void {
  const memory = [
    `${gib(result.peak_rss_bytes)} at most`,
    ...(result.estimated_bytes === undefined ? [] : [`${gib(result.estimated_bytes)} estimated`]),
    ...(result.available_bytes === undefined ? [] : [`${gib(result.available_bytes)} available`]),
  ];
  terminal.say(
    `\ndry run of ${result.name} on the ${device}: ${train} images to train on, ${validation} to validate on`,
  );
  terminal.say(`parameters   ${result.parameters.toLocaleString('en')}`);
  terminal.say(`memory       ${memory.join(', ')}`);
  terminal.say(`recording    ${(result.record_ms / 1000).toFixed(1)} s`);
  terminal.say(`step         ${result.step_ms.toFixed(0)} ms`);
  terminal.say(`epoch        ${duration(result.epoch_s)}`);
  terminal.say(`whole run    ${duration(result.total_s)}`);
  terminal.say(`checkpoints  ${(result.checkpoint_bytes / 2 ** 20).toFixed(0)} MiB each`);
  const { least_disk_bytes: least, most_disk_bytes: most, free_disk_bytes: free } = result;
  terminal.say(`disk         ${gib(least)} at least, ${gib(most)} at most, ${gib(free)} free`);
}

/** `48 s`, `4.8 min` or `12.3 h`. */
export function duration(seconds: number): string {
  if (seconds < 100) return `${seconds.toFixed(0)} s`;
  return seconds < 6000 ? `${(seconds / 60).toFixed(1)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
