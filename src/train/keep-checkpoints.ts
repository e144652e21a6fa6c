import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointIndex,
  type CheckpointName,
  digestOfWeights,
  isAverage,
  pointCheckpoints,
  saveCheckpoint,
} from '../models/checkpoint.ts';
import { predictionsPath } from '../predict/predictor.ts';
import type { Journal } from '../tracking/journal.ts';
import type { Progress } from './fit.ts';
import type { TrainStep } from './step.ts';
import type { Validation } from './validate.ts';

/** What is logged of each validation. */
export type ValidationMetrics = {
  'val/loss': number;
  'val/dice': number;
  'val/dice_positive': number;
  'val/dice_empty': number;
  'val/iou': number;
  /** What a submission without any mask would score on the same images. */
  'val/dice_all_empty': number;
  /** Of the presence head, where there is one and images of both kinds. */
  'val/presence_auc'?: number;
};

export interface SavedCheckpoint {
  /** The folder under `checkpoints/`. */
  id: string;
  /** SHA-256 of its weights. */
  sha256: string;
  metrics: ValidationMetrics;
  /** For which names it is the best so far. */
  names: CheckpointName[];
  validation: Validation;
}

/** Which figure each best checkpoint is chosen by, and whether more of it is better. */
const MONITORED = [
  { name: 'best-loss', metric: 'val/loss', sign: -1 },
  { name: 'best-dice', metric: 'val/dice', sign: 1 },
  { name: 'best-iou', metric: 'val/iou', sign: 1 },
] as const;
type BestName = (typeof MONITORED)[number]['name'];

/** Saves checkpoints of one run and keeps those that are best by something, the last, and the average. */
export interface Checkpoints {
  /** Validates the network as it stands, writes it with its out-of-fold probabilities, logs and names it. */
  save(
    id: string,
    progress: Progress,
    validate: (options: { storePath: string; checkpoint: string }) => Promise<Validation>,
  ): Promise<SavedCheckpoint>;
  /** Writes the network as it stands without validating it: what is left of a run that was told to stop. */
  saveInterrupted(progress: Progress): Promise<void>;
  /** The best one so far. Throws before the first. */
  best(name: BestName): SavedCheckpoint;
}

/** Keeps the checkpoints of the run in `runDir`. */
export function keepCheckpoints(runDir: string, step: TrainStep, journal: Journal): Checkpoints {
  const bests = new Map<BestName, SavedCheckpoint>();

  const write = async (id: string, progress: Progress, metrics?: ValidationMetrics) => {
    const { slots, updates } = step.readOptimizer();
    const state = {
      epoch: progress.epoch,
      update: progress.update,
      optimizer_updates: updates,
      scores: progress.scores,
      metrics,
    };
    const content = { weights: step.readWeights(), state };
    return await saveCheckpoint(runDir, id, isAverage(id) ? content : { ...content, optimizer: slots });
  };

  const point = async (names: CheckpointIndex) => {
    for (const id of await pointCheckpoints(runDir, names)) {
      await rm(predictionsPath(runDir, id, 'oof', ['none']), { recursive: true, force: true });
    }
  };

  return {
    save: async (id, progress, validate) => {
      const storePath = predictionsPath(runDir, id, 'oof', ['none']);
      const validation = await validate({ storePath, checkpoint: digestOfWeights(step.readWeights()) });
      const metrics = toMetrics(validation);
      // The average that is chosen logs its figures as the run's at its end; beside them each has a Dice of its own.
      if (isAverage(id)) journal.metrics({ [`val/dice_${id}`]: metrics['val/dice'] }, progress.epoch);
      else journal.metrics(metrics, progress.epoch);
      const sha256 = await write(id, progress, metrics);
      const saved: SavedCheckpoint = { id, sha256, metrics, names: [], validation };
      if (isAverage(id)) {
        await point({ [id]: id });
        return saved;
      }
      for (const { name, metric, sign } of MONITORED) {
        const best = bests.get(name);
        if (best !== undefined && !(sign * metrics[metric] > sign * best.metrics[metric])) continue;
        bests.set(name, saved);
        saved.names.push(name);
      }
      await point({ last: id, ...Object.fromEntries(saved.names.map((name) => [name, id])) });
      return saved;
    },
    saveInterrupted: async (progress) => {
      const id = `update-${String(progress.update).padStart(6, '0')}`;
      await write(id, progress);
      await point({ last: id });
    },
    best: (name) => {
      const best = bests.get(name);
      if (best === undefined) throw new Error(`Expected a checkpoint for ${name} but no epoch has been validated.`);
      return best;
    },
  };
}

function toMetrics({ loss, summary, presenceAuc }: Validation): ValidationMetrics {
  return {
    'val/loss': loss,
    'val/dice': summary.dice,
    'val/dice_positive': summary.dice_positive,
    'val/dice_empty': summary.dice_empty,
    'val/iou': summary.iou,
    'val/dice_all_empty': summary.dice_all_empty,
    ...(presenceAuc === undefined || Number.isNaN(presenceAuc) ? {} : { 'val/presence_auc': presenceAuc }),
  };
}

/** Where the checkpoints' manifests lie, for the journal's artifacts. */
export function manifestPath(id: string): string {
  return join('checkpoints', id, 'manifest.json');
}
