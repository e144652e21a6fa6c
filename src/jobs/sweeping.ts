import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { readCheckpointIndex } from '../models/checkpoint.ts';
import { readRun } from '../tracking/runs.ts';
import type { Executor } from './executor.ts';
import type { EventLog } from './sweep-events.ts';
import type { PlannedUnit, SweepPlan } from './sweep-plan.ts';
import { isOver, type SweepState, type UnitState } from './sweep-state.ts';

/** A sweep under way, in the process that drives it. */
export interface Sweeping {
  dir: string;
  runsDir: string;
  plan: SweepPlan;
  /** As the events have it; `log.append` changes it. */
  state: SweepState;
  log: EventLog;
  executor: Executor;
  terminal: Terminal;
  /** Units by id, those that wait for a unit's checkpoint, those of a trial, and all first stages. */
  units: ReadonlyMap<string, PlannedUnit>;
  dependents: ReadonlyMap<string, PlannedUnit[]>;
  byTrial: ReadonlyMap<string, PlannedUnit[]>;
  first: readonly PlannedUnit[];
  /** Units that may be handed over: the last one is the next. */
  ready: string[];
  /** Units that the engine has. */
  active: Set<string>;
  /** Units that have not come to an end. */
  open: Set<string>;
  /** First stages that are on their way to an epoch at which something is decided, or to their end. */
  moving: Set<string>;
  /** Ends the run of a unit that has come to an end without finishing, where that has not ended itself, and sends what is left of it. */
  closeRun(unit: PlannedUnit, status: 'FAILED' | 'KILLED', tags: Record<string, string>): Promise<void>;
}

/** The lists of units by which a sweep is driven, as its state has them. */
export function indexUnits(plan: SweepPlan, state: SweepState) {
  const units = new Map(plan.units.map((unit) => [unit.id, unit]));
  const dependents = groupBy(plan.units, ({ after }) => after ?? '');
  const byTrial = groupBy(plan.units, ({ trial }) => trial);
  const first = plan.units.filter(({ stage }) => stage === 0);
  const statusOf = (id: string) => state.units.get(id)!.status;
  const open = plan.units.filter(({ id }) => !isOver(state.units.get(id)!)).map(({ id }) => id);
  const ready = open.filter((id) => isReady(units.get(id)!, state)).reverse();
  const active = new Set(open.filter((id) => ['handing', 'handed'].includes(statusOf(id))));
  const moving = new Set(open.filter((id) => units.get(id)!.stage === 0 && statusOf(id) !== 'paused'));
  return { units, dependents, byTrial, first, ready, active, moving, open: new Set(open) };
}

/** As Map.groupBy of later versions of Node. */
function groupBy(units: readonly PlannedUnit[], keyOf: (unit: PlannedUnit) => string): Map<string, PlannedUnit[]> {
  const groups = new Map<string, PlannedUnit[]>();
  for (const unit of units) {
    const group = groups.get(keyOf(unit));
    if (group === undefined) groups.set(keyOf(unit), [unit]);
    else group.push(unit);
  }
  return groups;
}

function isReady({ id, after }: PlannedUnit, state: SweepState): boolean {
  if (state.units.get(id)!.status !== 'waiting') return false;
  return after === undefined || state.units.get(after)!.status === 'finished';
}

export function stateOf({ state }: Sweeping, id: string): UnitState {
  return state.units.get(id)!;
}

/** How far a unit's run has come; `damaged` says why that cannot be read. */
export async function progressOf(
  { runsDir }: Pick<Sweeping, 'runsDir'>,
  { run_id }: PlannedUnit,
): Promise<{ checkpoint: string | undefined; epochs: number; damaged?: string }> {
  const index = await readCheckpointIndex(join(runsDir, run_id)).catch(() => ({ last: undefined }));
  try {
    const run = readRun(runsDir, run_id);
    return { checkpoint: index.last, epochs: run?.record.epochs.at(-1)?.epoch ?? 0 };
  } catch (error) {
    return { checkpoint: index.last, epochs: 0, damaged: messageOf(error) };
  }
}
