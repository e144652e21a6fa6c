import type { Terminal } from '../core/terminal.ts';
import type { SweepPlan } from '../jobs/sweep-plan.ts';
import { diceOf } from '../jobs/sweep-results.ts';
import type { SweepState } from '../jobs/sweep-state.ts';
import { sayTable } from './say-table.ts';

/** A unit as `json=true` prints it. */
export interface UnitShown {
  unit: string;
  trial: string;
  status: string;
  attempts: number;
  run_id: string;
  'val/dice': number | null;
  why: string | null;
}

/**
 * Every unit of a sweep, as it stands.
 * @param live what the engine says of those that it has, by unit
 */
export function showUnits(
  plan: SweepPlan,
  state: SweepState,
  runsDir: string,
  live: ReadonlyMap<string, string> = new Map(),
): UnitShown[] {
  return plan.units.map((unit) => {
    const { status: known, attempts, why = null } = state.units.get(unit.id)!;
    const status = live.get(unit.id) ?? known;
    const dice = diceOf(runsDir, unit) ?? null;
    return { unit: unit.id, trial: unit.trial, status, attempts, run_id: unit.run_id, 'val/dice': dice, why };
  });
}

/** The units as a table, the best first among those that have finished. */
export function sayUnits(units: readonly UnitShown[], terminal: Terminal): void {
  const columns = [
    { heading: 'unit' },
    { heading: 'status' },
    { heading: 'attempts', numeric: true },
    { heading: 'Dice', numeric: true },
    { heading: 'run' },
    { heading: 'why' },
  ];
  const rank = ({ status, 'val/dice': dice }: UnitShown) => (status === 'finished' ? (dice ?? 0) : -1);
  const rows = [...units]
    .sort((a, b) => rank(b) - rank(a))
    .map((unit) => {
      const { status, attempts, run_id, why } = unit;
      return [unit.unit, status, String(attempts), unit['val/dice']?.toFixed(4) ?? '-', run_id, why ?? ''];
    });
  sayTable({ caption: 'units', columns, rows }, terminal);
}
