import type { Experiment } from '../config/experiment.ts';
import type { Halving } from '../config/sweep.ts';
import { rungEpochs } from './halving.ts';
import type { CheckedUnit } from './plan-sweep.ts';

/** Keys without which the time of an epoch is the same. */
const TIMELESS = new Set([
  'name',
  'init',
  'seed',
  'epochs',
  'lr_schedule',
  'swa_epochs',
  'swa',
  'mlflow_experiment',
  'checkpoint_every',
  'keep_top_k',
  'nan_tolerance',
  'tensorboard',
]);

/** What experiments have in common whose epochs take the same time. */
export function timeKey(experiment: Experiment): string {
  const { fold: _, ...data } = experiment.data;
  const own = Object.entries({ ...experiment, data }).filter(([key]) => !TIMELESS.has(key));
  return JSON.stringify(own);
}

/** How long a sweep takes, in seconds. */
export interface SweepEstimate {
  /** All epochs of all units, one after the other. */
  total_s: number;
  /** The same with the trials that halving stops, where it stops no more than it must. */
  halved_s: number;
  /** That on `at_once` places at once, and no less than its longest chain. */
  wall_s: number;
}

/**
 * Adds up the epochs of units, and their starts.
 * @param epochSeconds of a unit's experiment
 * @param startSeconds what each attempt of it takes beside its epochs
 */
export function estimateSweep(
  units: readonly CheckedUnit[],
  epochSeconds: (unit: CheckedUnit) => number,
  {
    halving,
    atOnce,
    startSeconds = () => 0,
  }: { halving: Halving | undefined; atOnce: number; startSeconds?: (unit: CheckedUnit) => number },
): SweepEstimate {
  const seconds = (unit: CheckedUnit, { epochs, attempts }: Share) =>
    epochSeconds(unit) * unit.experiment.epochs * epochs + startSeconds(unit) * attempts;
  const total = units.reduce((sum, unit) => sum + seconds(unit, WHOLE), 0);
  const halved = units.reduce((sum, unit) => sum + seconds(unit, shareLeft(unit, halving)), 0);
  const chains = new Map<string, number>();
  for (const unit of units) chains.set(unit.id, (chains.get(unit.after ?? '') ?? 0) + seconds(unit, WHOLE));
  const longest = Math.max(0, ...chains.values());
  return {
    total_s: total,
    halved_s: halved,
    wall_s: Math.max(longest, halved / Math.max(1, Math.min(atOnce, units.length))),
  };
}

/** The share of a unit's epochs that is trained on average, and by how many attempts. */
interface Share {
  epochs: number;
  attempts: number;
}

const WHOLE: Share = { epochs: 1, attempts: 1 };

/** 1/factor of the trials go on at each rung. */
function shareLeft({ stage, experiment: { epochs } }: CheckedUnit, halving: Halving | undefined): Share {
  if (halving === undefined) return WHOLE;
  const rungs = rungEpochs(halving, epochs);
  const going = (rung: number) => halving.factor ** -rung;
  if (stage > 0) return { epochs: going(rungs.length), attempts: going(rungs.length) };
  const steps = [...rungs, epochs].map((end, rung) => (end - (rungs[rung - 1] ?? 0)) * going(rung));
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return { epochs: sum(steps) / epochs, attempts: sum(steps.map((_, rung) => going(rung))) };
}
