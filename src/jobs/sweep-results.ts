import { stringify } from 'csv-stringify/sync';
import { UserError } from '../core/errors.ts';
import { readRun } from '../tracking/runs.ts';
import type { PlannedUnit, SweepPlan } from './sweep-plan.ts';
import type { SweepState } from './sweep-state.ts';

/** A unit's validation Dice: of its chosen checkpoint, or the best so far; undefined where there is none, or none that can be read. */
export function diceOf(runsDir: string, { run_id }: PlannedUnit): number | undefined {
  try {
    const record = readRun(runsDir, run_id)?.record;
    const epochs = record?.epochs.flatMap(({ values }) => values['val/dice'] ?? []) ?? [];
    return record?.chosen?.['val/dice'] ?? (epochs.length === 0 ? undefined : Math.max(...epochs));
  } catch (error) {
    // A damaged journal: its unit says so.
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The unit of the best Dice so far; undefined where none has one. */
export function bestOf({ units }: SweepPlan, runsDir: string): { run_id: string; dice: number } | undefined {
  let best: { run_id: string; dice: number } | undefined;
  for (const unit of units) {
    const dice = diceOf(runsDir, unit);
    if (dice !== undefined && dice > (best?.dice ?? -1)) best = { run_id: unit.run_id, dice };
  }
  return best;
}

/** `sweep.csv`: a line for each unit, a column for each key that trials differ by. */
export function tableOf({ units, trials }: SweepPlan, state: SweepState, runsDir: string): string {
  const changes = new Map(trials.map((trial) => [trial.id, trial.changes]));
  const keys = [...new Set(trials.flatMap((trial) => Object.keys(trial.changes)))];
  const rows = units.map((unit) => {
    const { status, attempts, failures, why = '' } = state.units.get(unit.id)!;
    const own = keys.map((key) => {
      const value = changes.get(unit.trial)![key];
      return typeof value === 'object' ? JSON.stringify(value) : String(value ?? '');
    });
    const dice = diceOf(runsDir, unit);
    return [
      unit.id,
      unit.trial,
      unit.file,
      unit.fold ?? '',
      unit.seed ?? '',
      ...own,
      status,
      attempts,
      failures,
      dice ?? '',
      unit.run_id,
      why,
    ];
  });
  const header = [
    'unit',
    'trial',
    'file',
    'fold',
    'seed',
    ...keys,
    'status',
    'attempts',
    'failures',
    'val/dice',
    'run_id',
    'why',
  ];
  return stringify([header, ...rows]);
}
