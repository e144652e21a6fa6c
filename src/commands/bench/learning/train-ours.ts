import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Experiment } from '../../../config/experiment.ts';
import { writeFileAtomic } from '../../../core/atomic-file.ts';
import { encodeSafetensors, readSafetensors } from '../../../core/safetensors.ts';
import type { Terminal } from '../../../core/terminal.ts';
import { JOURNAL_FILE, openJournal, readJournal } from '../../../tracking/journal.ts';
import { createAverages } from '../../../train/averages.ts';
import { buildStep } from '../../../train/build-step.ts';
import { fit } from '../../../train/fit.ts';
import { keepCheckpoints, type ValidationMetrics } from '../../../train/keep-checkpoints.ts';
import { beginning } from '../../../train/progress.ts';
import type { Learned, Scores } from './figures.ts';
import { countImages, type OpenData } from './open.ts';

/** Where a training works. */
export interface TrainPlace {
  /** For what it needs on the way; goes at the end. */
  folder: string;
  /** safetensors of weights to begin with; undefined: those of the seed. */
  start: string | undefined;
  /** Threads that load images. */
  workers: number | undefined;
  tensorflow: string;
  signal: AbortSignal;
}

/**
 * Trains an experiment as `npm run exp` does, and reads what came of it from the run's journal.
 * @param keep where the weights go that the network has at the end: averaged, where the experiment averages
 */
export async function trainOurs(
  experiment: Experiment,
  { dataset, split }: OpenData,
  { folder, start, keep, workers, tensorflow, signal }: TrainPlace & { keep: string },
  terminal: Terminal,
): Promise<Learned> {
  await rm(folder, { recursive: true, force: true });
  const step = buildStep(experiment, 'cpu');
  if (start !== undefined) step.writeWeights(await readSafetensors(start));
  const journal = await openJournal(folder);
  try {
    const averages = createAverages(experiment, step);
    const checkpoints = await keepCheckpoints({ runDir: folder, step, averages, journal, keepTopK: 0 });
    const parts = { experiment, dataset, split, step, averages, checkpoints, journal, terminal, signal, workers };
    const chosen = await fit({ runDir: folder, ...parts }, beginning());
    await writeFileAtomic(keep, encodeSafetensors(step.readWeights()));
    return {
      ...readCurves(join(folder, JOURNAL_FILE)),
      ...(chosen.id === 'swa' ? { swa: scoresOf(chosen.metrics) } : {}),
      ...countImages({ dataset, split }),
      parameters: step.parameters,
      versions: { node: process.versions.node, tensorflow },
    };
  } finally {
    journal.close();
    step.dispose();
    await rm(folder, { recursive: true, force: true });
  }
}

function readCurves(path: string): Pick<Learned, 'epochs' | 'losses' | 'rates'> {
  const entries = readJournal(path).flatMap((entry) => (entry.type === 'metrics' ? [entry.values] : []));
  const validated = entries.filter((values) => 'val/dice' in values) as ValidationMetrics[];
  const updates = entries.filter((values) => 'train/loss' in values) as { 'train/loss': number; lr: number }[];
  return {
    epochs: validated.map(scoresOf),
    losses: updates.map((values) => values['train/loss']),
    rates: updates.map(({ lr }) => lr),
  };
}

function scoresOf(metrics: ValidationMetrics): Scores {
  return {
    dice: metrics['val/dice'],
    dice_positive: metrics['val/dice_positive'],
    dice_empty: metrics['val/dice_empty'],
  };
}
