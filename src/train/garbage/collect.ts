import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { messageOf } from '../../core/errors.ts';
import { describeLock, isLocked } from '../../core/lock.ts';
import { writingTo } from '../../data/disk.ts';
import { removeCheckpoint, stripCheckpoint } from '../../models/checkpoint.ts';
import type { RunSummary } from '../../tracking/runs.ts';
import { runLock, tryLockRun } from '../run-folder.ts';
import { type Garbage, type Keep, planRun, type RunPlan } from './plan.ts';
import type { Reference } from './references.ts';

export interface CollectOptions {
  keep: Keep;
  /** Also of runs that did not come to their end, from which one could still go on. */
  unfinished: boolean;
  /** Only says what would go. */
  dryRun: boolean;
}

/** What went of a run, or would; or why it was left alone. */
export type Collected = { run: RunSummary } & (({ skipped?: undefined } & RunPlan) | { skipped: string });

/**
 * Removes what nothing needs any more of a run, which nobody else trains in meanwhile. Of a run that somebody trains, and of one
 * whose records cannot be read, nothing is removed. Throws UserError where the disk refuses.
 */
export async function collectRun(
  run: RunSummary,
  references: readonly Reference[],
  options: CollectOptions,
): Promise<Collected> {
  const { dryRun } = options;
  const release = dryRun ? undefined : await tryLockRun(run.dir);
  if (dryRun ? await isLocked(runLock(run.dir)) : release === undefined) {
    return { run, skipped: `${await describeLock(runLock(run.dir))} trains in it` };
  }
  try {
    const plan = await plannedOrWhy(run, references, options);
    if (typeof plan === 'string') return { run, skipped: plan };
    if (!dryRun) await writingTo(run.dir, () => removeAll(run, plan.garbage));
    return { run, ...plan };
  } finally {
    await release?.();
  }
}

async function plannedOrWhy(
  run: RunSummary,
  references: readonly Reference[],
  { keep, unfinished }: CollectOptions,
): Promise<RunPlan | string> {
  try {
    return await planRun(run, references, { keep, ended: unfinished || run.status === 'FINISHED' });
  } catch (error) {
    return `its records cannot be read: ${messageOf(error)}`;
  }
}

async function removeAll({ dir }: RunSummary, garbage: readonly Garbage[]): Promise<void> {
  for (const { path, action } of garbage) {
    if (action === 'remove checkpoint') await removeCheckpoint(dir, basename(path));
    else if (action === 'strip checkpoint') await stripCheckpoint(dir, basename(path));
    else await rm(join(dir, path), { recursive: true, force: true });
  }
}
