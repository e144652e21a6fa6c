import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CheckpointIndex,
  type CheckpointName,
  digestOfWeights,
  hasCheckpoint,
  isAverage,
  pointCheckpoints,
  readCheckpointIndex,
  saveCheckpoint,
} from '../models/checkpoint.ts';
import { imageScoresPath } from '../predict/image-scores.ts';
import { predictionsPath } from '../predict/predictor.ts';
import type { Journal } from '../tracking/journal.ts';
import type { Averages } from './averages.ts';
import { checkpointIdOf, type Progress } from './progress.ts';
import { type BestName, namesOf, type Ranking, rankEpoch } from './rank-epochs.ts';
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
}

/** Saves checkpoints of one run and keeps those that are best by something, the best few, the last two, and the averages. */
export interface Checkpoints {
  /** Validates the network as it stands, writes it with its out-of-fold probabilities, names and logs it. */
  save(
    id: string,
    progress: Progress,
    validate: (options: { storePath: string; checkpoint: string }) => Promise<Validation>,
  ): Promise<SavedCheckpoint>;
  /** Writes where training stands, without validating it: within an epoch, and when a run is told to stop. */
  saveState(progress: Progress): Promise<void>;
  /** The best one so far. Throws before the first. */
  best(name: BestName): SavedCheckpoint;
}

/** What checkpoints are made of, and where they go. */
export interface CheckpointParts {
  runDir: string;
  step: TrainStep;
  averages: Averages;
  journal: Journal;
  /** How many of the best epochs by Dice are kept, beside those that are kept anyway. */
  keepTopK: number;
  /** The checkpoint that the run goes on from, and the best ones of before. */
  resumed?: { id: string; ranking: Ranking } | undefined;
}

/** Keeps the checkpoints of the run in `runDir`; where it goes on, its names first say what the ranking of that checkpoint says. */
export async function keepCheckpoints(parts: CheckpointParts): Promise<Checkpoints> {
  const { runDir, step, averages, journal, keepTopK, resumed } = parts;
  const isThere = (id: string) => hasCheckpoint(runDir, id);
  const ranking = resumed === undefined ? { bests: {}, ranked: [] } : stillThere(resumed.ranking, isThere);

  const write = async (id: string, progress: Progress, metrics?: ValidationMetrics) => {
    // What the checkpoint stands behind is on the disk before it.
    journal.flush();
    const weights = step.readWeights();
    if (isAverage(id)) return await saveCheckpoint(runDir, id, { weights, state: { epoch: progress.epoch, metrics } });
    const { arrays, counters } = step.readState();
    const { sums, ...counts } = averages.readState();
    const { averaging: _, ...stands } = progress;
    const state = { ...stands, metrics, counters, averages: counts, ...ranking };
    return await saveCheckpoint(runDir, id, { weights, training: { optimizer: arrays, sums }, state });
  };

  const point = async (names: CheckpointIndex) => {
    const before = names.last === undefined ? {} : previousOf(await readCheckpointIndex(runDir), names.last);
    const all = { ...namesOf(ranking, keepTopK, isThere), ...before, ...names };
    for (const id of await pointCheckpoints(runDir, all)) {
      const store = predictionsPath(runDir, id, 'oof', ['none']);
      for (const path of [store, imageScoresPath(store)]) await rm(path, { force: true });
    }
  };
  // A run may have died between a checkpoint and its names.
  if (resumed !== undefined) await point({ last: resumed.id });

  return {
    save: async (id, progress, validate) => {
      const storePath = predictionsPath(runDir, id, 'oof', ['none']);
      const sha256 = digestOfWeights(step.readWeights());
      const metrics = toMetrics(await validate({ storePath, checkpoint: sha256 }));
      if (isAverage(id)) {
        await write(id, progress, metrics);
        await point({ [id]: id });
        // The average that is chosen logs its figures as the run's at its end; beside them each has a Dice of its own.
        journal.metrics({ [`val/dice_${id}`]: metrics['val/dice'] }, progress.epoch);
        return { id, sha256, metrics, names: [] };
      }
      const names = rankEpoch(ranking, { id, sha256, metrics }, keepTopK);
      progress.scores.push(metrics['val/dice']);
      await write(id, progress, metrics);
      await point({ last: id });
      journal.metrics(loggedOf(metrics, ranking), progress.epoch);
      return { id, sha256, metrics, names };
    },
    saveState: async (progress) => {
      const id = checkpointIdOf(progress);
      if (id === resumed?.id) return;
      await write(id, progress);
      await point({ last: id });
    },
    best: (name) => {
      const best = ranking.bests[name];
      if (best === undefined) throw new Error(`Expected a checkpoint for ${name} but no epoch has been validated.`);
      return { ...best, names: [name] };
    },
  };
}

/** What is logged of an epoch: its figures, and the best Dice so far. */
export function loggedOf(metrics: ValidationMetrics, { bests }: Ranking): Record<string, number> {
  return { ...metrics, 'val/dice_best': bests['best-dice']?.metrics['val/dice'] ?? metrics['val/dice'] };
}

/** The checkpoint before the one that is the last now: none where that is one gone back to, since the one after it was damaged. */
function previousOf({ last, previous }: CheckpointIndex, now: string): { previous: string | undefined } {
  if (previous === now) return { previous: undefined };
  return { previous: last === now ? previous : last };
}

/**
 * A ranking without best checkpoints that are gone: where a damaged checkpoint is gone back behind, those that it surpassed were
 * removed when it was written.
 */
function stillThere({ bests, ranked }: Ranking, isThere: (id: string) => boolean): Ranking {
  const there = Object.entries(bests).filter(([, { id }]) => isThere(id));
  return { bests: Object.fromEntries(there), ranked };
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
