import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isAside } from '../../core/atomic-file.ts';
import { expected } from '../../core/errors.ts';
import {
  type CheckpointIndex,
  type CheckpointName,
  checkpointDir,
  listCheckpoints,
  readCheckpointIndex,
  trainingFiles,
} from '../../models/checkpoint.ts';
import { checkpointOfPredictions } from '../../predict/predictor.ts';
import type { RunSummary } from '../../tracking/runs.ts';
import type { Reference } from './references.ts';

/** What is kept of a run that has ended; whatever is referred to is kept in any case. */
export const KEEPS = ['named', 'weights', 'chosen'] as const;
export type Keep = (typeof KEEPS)[number];

/** Something in a run's folder that nothing needs any more. */
export interface Garbage {
  /** Relative to the run's folder. */
  path: string;
  bytes: number;
  reason: string;
  /** What is done: the file or folder goes, or the checkpoint with its names, or of the checkpoint all but its weights. */
  action: 'remove' | 'remove checkpoint' | 'strip checkpoint';
}

/** A checkpoint that is kept since something refers to it. */
export interface Protected {
  checkpoint: string;
  by: string[];
}

/** What can go of a run, and what something refers to. */
export interface RunPlan {
  garbage: Garbage[];
  protected: Protected[];
}

/** Writing outside of `checkpoints/` needs no lock: what was written to within this time may still be at work. */
const AT_WORK_MS = 3_600_000;

/**
 * Looks at a run that nobody trains; touches nothing. Throws Error where its records do not tell what is needed.
 * @param ended whether its checkpoints are only there to be used, not to go on from
 */
export async function planRun(
  run: RunSummary,
  references: readonly Reference[],
  { keep, ended }: { keep: Keep; ended: boolean },
): Promise<RunPlan> {
  const index = await readCheckpointIndex(run.dir);
  const ids = await listCheckpoints(run.dir);
  if (ended && ids.length > 0 && Object.keys(index).length === 0) {
    throw new Error(expected('an index of checkpoints', join(run.dir, 'checkpoints'), 'none'));
  }
  const { tags } = run.record;
  const protectedBy = protect(run, references, index, tags);
  const { previous: _, ...names } = index;
  const wanted = new Set<string>([
    ...(keep === 'chosen' ? chosenOf(names, tags) : Object.values(names)),
    ...protectedBy.keys(),
  ]);
  const gone = ended ? ids.filter((id) => !wanted.has(id)) : [];
  const kept = ids.filter((id) => !gone.includes(id));
  // A fork goes on from the last one.
  const used = ended ? kept.filter((id) => id !== index.last || keep !== 'named') : [];
  const garbage = [
    ...(await planRemoved(run, gone, index)),
    ...(await planStripped(run, used)),
    ...(await planPredictions(run, new Set([...kept, ...protectedBy.keys()]))),
    ...(await planLeftovers(run)),
  ];
  const there = [...protectedBy].filter(([id]) => ids.includes(id));
  return { garbage, protected: there.map(([checkpoint, by]) => ({ checkpoint, by: [...by] })) };
}

/** Which checkpoints are referred to, there or not, by id, and by what. A registered run keeps all that a name means. */
function protect(
  run: RunSummary,
  references: readonly Reference[],
  index: CheckpointIndex,
  tags: Readonly<Record<string, string>>,
): Map<string, Set<string>> {
  const protectedBy = new Map<string, Set<string>>();
  const add = (id: string, by: string) => void protectedBy.set(id, (protectedBy.get(id) ?? new Set()).add(by));
  for (const { run: reference, checkpoint, by } of references) {
    if (!isMeant(run, reference)) continue;
    add(index[checkpoint as CheckpointName] ?? checkpoint, by);
  }
  if (tags.registered !== undefined) {
    for (const [name, id] of Object.entries(index)) if (name !== 'previous') add(id, `registered: ${tags.registered}`);
  }
  return protectedBy;
}

/** With `data.fold=all` the name of an experiment, or of its run of all folds, stands for the runs of its folds. */
function isMeant({ run_id, mlflow_run_id, name }: RunSummary, reference: string): boolean {
  const whole = name.replace(/-fold\d+$/, '');
  return [run_id, mlflow_run_id, name, whole, `${whole}-folds`].includes(reference);
}

/** The checkpoint that a run came to; of one that did not come to its end, the best by Dice, or else the last. */
function chosenOf(index: CheckpointIndex, tags: Readonly<Record<string, string>>): string[] {
  const chosen = tags['checkpoint.id'] ?? index['best-dice'] ?? index.last;
  return chosen === undefined ? [] : [chosen];
}

/** Whole checkpoints. */
async function planRemoved({ dir }: RunSummary, ids: readonly string[], index: CheckpointIndex): Promise<Garbage[]> {
  const garbage: Garbage[] = [];
  for (const id of ids) {
    const path = join('checkpoints', id);
    const reason = Object.values(index).includes(id) ? 'the run has ended' : 'no name means it';
    garbage.push({ path, bytes: await bytesOf(join(dir, path)), reason, action: 'remove checkpoint' });
  }
  return garbage;
}

/** Of checkpoints whose weights are still used, what only training needs. */
async function planStripped({ dir }: RunSummary, ids: readonly string[]): Promise<Garbage[]> {
  const garbage: Garbage[] = [];
  for (const id of ids) {
    const files = await trainingFiles(dir, id);
    if (files.length === 0) continue;
    const bytes = await sumOf(files.map((file) => bytesOf(join(checkpointDir(dir, id), file))));
    const path = join('checkpoints', id);
    garbage.push({ path, bytes, reason: 'all but its weights: the run has ended', action: 'strip checkpoint' });
  }
  return garbage;
}

/** Probabilities and scores of checkpoints that are not kept. */
async function planPredictions({ dir }: RunSummary, kept: ReadonlySet<string>): Promise<Garbage[]> {
  const garbage: Garbage[] = [];
  for (const file of await namesIn(join(dir, 'predictions'))) {
    const checkpoint = checkpointOfPredictions(file);
    if (checkpoint === undefined || kept.has(checkpoint)) continue;
    const path = join('predictions', file);
    const bytes = await bytesOf(join(dir, path));
    garbage.push({ path, bytes, reason: 'its checkpoint is gone', action: 'remove' });
  }
  return garbage;
}

/** What was written aside by a process that died. */
async function planLeftovers({ dir }: RunSummary): Promise<Garbage[]> {
  const garbage: Garbage[] = [];
  for (const folder of ['', 'checkpoints', 'predictions', 'overlays']) {
    for (const name of (await namesIn(join(dir, folder))).filter(isAside)) {
      const path = join(folder, name);
      const found = await stat(join(dir, path));
      if (folder !== 'checkpoints' && Date.now() - found.mtimeMs < AT_WORK_MS) continue;
      garbage.push({ path, bytes: await bytesOf(join(dir, path)), reason: 'left half-written', action: 'remove' });
    }
  }
  return garbage;
}

async function namesIn(folder: string): Promise<string[]> {
  return existsSync(folder) ? (await readdir(folder)).sort() : [];
}

/** Bytes of a file, or of all files of a folder. */
async function bytesOf(path: string): Promise<number> {
  const found = await stat(path);
  if (!found.isDirectory()) return found.size;
  return await sumOf((await readdir(path)).map((name) => bytesOf(join(path, name))));
}

async function sumOf(counts: readonly Promise<number>[]): Promise<number> {
  return (await Promise.all(counts)).reduce((sum, each) => sum + each, 0);
}
