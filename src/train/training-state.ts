import { basename } from 'node:path';
import { z } from 'zod';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { NamedTensors } from '../core/safetensors.ts';
import type { Terminal } from '../core/terminal.ts';
import {
  hasWeightsAlone,
  isAverage,
  listCheckpoints,
  readCheckpointState,
  readTrainingCheckpoint,
} from '../models/checkpoint.ts';
import type { AveragesState } from './averages.ts';
import type { ValidationMetrics } from './keep-checkpoints.ts';
import type { Progress } from './progress.ts';
import { BEST_NAMES, type Ranking } from './rank-epochs.ts';
import type { StepState } from './step-state.ts';

const count = z.int().min(0);
/** JSON writes what is no number (a Dice on positives where none are held out, a loss that diverged) as null. */
const figure = z
  .number()
  .nullable()
  .transform((value) => value ?? Number.NaN);
const metrics = z.record(z.string(), figure);

/** `state.json` of a checkpoint: where training stood, to the batch. */
const trainingState = z.object({
  epoch: count,
  batch: count,
  update: count,
  losses: z.array(z.number()),
  skipped: count.default(0),
  broken: count.default(0),
  mixture: z.object({ seen: count, positive: count }),
  scores: z.array(z.number()),
  counters: z.object({
    updates: count,
    batches: count,
    waiting: count,
    followed: count,
    loss_scale: z.object({ scale: z.number().positive(), good: count }),
  }),
  /** Of the validation that it was written after. */
  metrics: metrics.optional(),
  averages: z.object({ count, followed: count }),
  bests: z.partialRecord(z.enum(BEST_NAMES), z.object({ id: z.string(), sha256: z.string(), metrics })),
  /** Empty of a run that began before epochs were ranked. */
  ranked: z.array(z.object({ id: z.string(), dice: z.number() })).default([]),
});
export type StoredState = z.infer<typeof trainingState>;

/** Everything that a run goes on from. */
export interface TrainingState {
  /** The checkpoint that it is from. */
  id: string;
  progress: Progress;
  weights: NamedTensors;
  step: StepState;
  averages: AveragesState;
  ranking: Ranking;
  /** Of the validation that it was written after; undefined within an epoch. */
  metrics: ValidationMetrics | undefined;
}

/**
 * The furthest whole checkpoint of a run; undefined where there is none. One that is damaged is named, and the one before it
 * taken. Those that an earlier version wrote, from which no run can go on to the bit, count as damaged. Throws UserError where
 * `npm run gc` has left nothing but weights.
 */
export async function findTrainingState(
  runDir: string,
  terminal: Pick<Terminal, 'warn'>,
): Promise<TrainingState | undefined> {
  const ids = (await listCheckpoints(runDir)).filter((id) => !isAverage(id));
  const refuse = (id: string, error: unknown) =>
    terminal.warn(`checkpoint ${id} is damaged and not gone on from: ${messageOf(error)}`);
  const stripped: string[] = [];
  const stood: { id: string; state: StoredState }[] = [];
  for (const id of ids) {
    if (await hasWeightsAlone(runDir, id)) {
      stripped.push(id);
      continue;
    }
    try {
      stood.push({ id, state: trainingState.parse(await readCheckpointState(runDir, id)) });
    } catch (error) {
      refuse(id, error);
    }
  }
  for (const { id } of stood.sort((a, b) => furtherFirst(a.state, b.state))) {
    try {
      return await readState(runDir, id);
    } catch (error) {
      refuse(id, error);
    }
  }
  if (stripped.length === 0) return undefined;
  const next = `\`npm run gc\` took the rest; init={from: ${basename(runDir)}, checkpoint: best-dice} starts from weights.`;
  throw new UserError(expected('a checkpoint to go on from', runDir, `weights alone (${stripped.join(', ')})`, next));
}

async function readState(runDir: string, id: string): Promise<TrainingState> {
  const { weights, training, state } = await readTrainingCheckpoint(runDir, id);
  const { counters, averages, bests, ranked, metrics, ...progress } = trainingState.parse(state);
  return {
    id,
    progress: { ...progress, averaging: false },
    weights,
    step: { arrays: training.optimizer, counters },
    averages: { ...averages, sums: training.sums },
    ranking: { bests: bests as Ranking['bests'], ranked },
    metrics: metrics as ValidationMetrics | undefined,
  };
}

function furtherFirst(a: StoredState, b: StoredState): number {
  return b.epoch - a.epoch || b.batch - a.batch;
}
