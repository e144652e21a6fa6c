import { dirname } from 'node:path';
import type { Terminal } from '../core/terminal.ts';
import { foldsOf } from '../tracking/folds-of.ts';
import { type RunSummary, readRun } from '../tracking/runs.ts';
import { type ScoredRun, scoreOneRun } from './run-scores.ts';
import type { TruthOf } from './truth.ts';

/**
 * What any run scores: one that is made of folds scores what its folds' runs do together, each image by the network that did not see
 * it; its pooled figures (`cv/dice`, …) stand where a run's own (`val/dice`, …) do.
 */
export async function scoreRun(run: RunSummary, truthOf: TruthOf, terminal: Terminal): Promise<ScoredRun> {
  const ids = [...foldsOf(run.record).values()];
  if (ids.length === 0) return await scoreOneRun(run, truthOf, terminal);
  const parts: ScoredRun[] = [];
  for (const id of ids) {
    const fold = readRun(dirname(run.dir), id);
    if (fold !== undefined) parts.push(await scoreOneRun(fold, truthOf, terminal));
  }
  const figures = Object.entries(run.record.chosen ?? {}).map(([key, value]) => [POOLED[key] ?? key, value]);
  const there = parts.length === ids.length && parts.every(({ images }) => images !== undefined);
  const whole = run.record.chosen !== null && there;
  const images = whole ? parts.flatMap((part) => part.images!) : undefined;
  return { run, checkpoint: undefined, metrics: Object.fromEntries(figures), images, parts };
}

/** Of a run of all folds, what is of the same kind as a run's own figures. */
const POOLED: Readonly<Record<string, string>> = {
  'cv/dice': 'val/dice',
  'cv/dice_positive': 'val/dice_positive',
  'cv/dice_empty': 'val/dice_empty',
  'cv/iou': 'val/iou',
  'cv/dice_all_empty': 'val/dice_all_empty',
};
