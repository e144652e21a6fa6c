import { existsSync } from 'node:fs';
import { messageOf } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { ImageScore } from '../metrics/dice.ts';
import { readCheckpointIndex, readWeightsDigest } from '../models/checkpoint.ts';
import {
  type CheckpointScores,
  imageScoresPath,
  readImageScores,
  scoreStore,
  writeImageScores,
} from '../predict/image-scores.ts';
import { predictionsPath } from '../predict/predictor.ts';
import { openProbabilityStore } from '../predict/probability-store.ts';
import type { RunSummary } from '../tracking/runs.ts';
import type { TruthOf } from './truth.ts';

/** A run by what it is judged on: its chosen checkpoint, or while there is none that of the best Dice. */
export interface ScoredRun {
  run: RunSummary;
  /** The folder under `checkpoints/`; undefined where no checkpoint stands. */
  checkpoint: string | undefined;
  /** The `val/*` of it. */
  metrics: Record<string, number>;
  /** Of every validation image; undefined where the run keeps no probabilities of it. */
  images: ImageScore[] | undefined;
  /** The runs of its folds, where it is made of them. */
  parts: ScoredRun[];
}

/** Means that differ by more are not of the same checkpoint: the journal's figure is the mean of the very same scores. */
const SAME = 1e-9;

/**
 * What a run that trained itself scores, and each of its images. The images' scores are those that validation kept; where they are missing, or of other
 * weights, they are computed from the stored probabilities and kept.
 */
export async function scoreOneRun(run: RunSummary, truthOf: TruthOf, terminal: Terminal): Promise<ScoredRun> {
  const metrics = metricsOf(run);
  const { id, sha256 } = await findChosen(run);
  const scored: ScoredRun = { run, checkpoint: id, metrics, images: undefined, parts: [] };
  if (id === undefined) return scored;
  const store = predictionsPath(run.dir, id, 'oof', ['none']);
  try {
    const scores = (await readKept(store, sha256)) ?? (await computeScores(run, store, sha256, truthOf));
    if (scores === undefined) return scored;
    const mean = scores.images.reduce((sum, { dice }) => sum + dice, 0) / scores.images.length;
    const logged = metrics['val/dice'];
    if (logged === undefined || Math.abs(mean - logged) < SAME) return { ...scored, images: scores.images };
    terminal.warn(
      `${run.run_id}: its images score ${mean.toFixed(4)} and it logged ${logged.toFixed(4)}: not compared.`,
    );
  } catch (error) {
    terminal.warn(`${run.run_id}: its images are not compared: ${messageOf(error)}`);
  }
  return scored;
}

/** `val/*` of the chosen checkpoint, or of the epoch of the best Dice so far. */
function metricsOf({ record }: RunSummary): Record<string, number> {
  if (record.chosen !== null) return record.chosen;
  const dice = (values: Record<string, number>) => values['val/dice'] ?? Number.NEGATIVE_INFINITY;
  const best = record.epochs.reduce<Record<string, number>>(
    (before, { values }) => (dice(values) > dice(before) ? values : before),
    {},
  );
  return Object.fromEntries(Object.entries(best).filter(([key]) => key.startsWith('val/')));
}

async function findChosen({
  dir,
  record,
}: RunSummary): Promise<{ id: string | undefined; sha256: string | undefined }> {
  const { 'checkpoint.id': chosen, 'checkpoint.sha256': digest } = record.tags;
  if (record.chosen !== null && chosen !== undefined) return { id: chosen, sha256: digest };
  const id = (await readCheckpointIndex(dir))['best-dice'];
  return { id, sha256: id === undefined ? undefined : await readWeightsDigest(dir, id) };
}

async function readKept(store: string, sha256: string | undefined): Promise<CheckpointScores | undefined> {
  const kept = await readImageScores(imageScoresPath(store));
  return kept?.checkpoint === sha256 ? kept : undefined;
}

async function computeScores(
  run: RunSummary,
  path: string,
  sha256: string | undefined,
  truthOf: TruthOf,
): Promise<CheckpointScores | undefined> {
  if (!existsSync(path)) return undefined;
  const store = await openProbabilityStore(path);
  try {
    if (store.checkpoint !== sha256) return undefined;
    const truth = await truthOf(run);
    const scores = scoreStore(store, (id) => {
      const runs = truth.get(id);
      if (runs === undefined) throw new Error(`the data has no label of image ${id}`);
      return runs;
    });
    await writeImageScores(imageScoresPath(path), scores);
    return scores;
  } finally {
    store.close();
  }
}
