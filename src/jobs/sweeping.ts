import { join } from 'node:path';
import type { Terminal } from '../core/terminal.ts';
import { readCheckpointIndex } from '../models/checkpoint.ts';
import { readRun } from '../tracking/runs.ts';
import type { Executor } from './executor.ts';
import { rungEpochs } from './halving.ts';
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
  /** Units by id, and those that wait for a unit's checkpoint. */
  units: ReadonlyMap<string, PlannedUnit>;
  dependents: ReadonlyMap<string, PlannedUnit[]>;
  /** Units that may be handed over: the last one is the next. */
  ready: string[];
  /** Units that the engine has. */
  active: Set<string>;
  /** Units that have not come to an end. */
  open: Set<string>;
  /** Ends the run of a unit that has come to an end by itself no more. */
  closeRun(unit: PlannedUnit, status: 'FAILED' | 'KILLED', tags: Record<string, string>): Promise<void>;
}

/** The lists of units by which a sweep is driven, as its state has them. */
export function indexUnits(plan: SweepPlan, state: SweepState) {
  const units = new Map(plan.units.map((unit) => [unit.id, unit]));
  const dependents = new Map<string, PlannedUnit[]>();
  for (const unit of plan.units) {
    if (unit.after !== undefined) dependents.set(unit.after, [...(dependents.get(unit.after) ?? []), unit]);
  }
  const open = plan.units.filter(({ id }) => !isOver(state.units.get(id)!)).map(({ id }) => id);
  const ready = open.filter((id) => isReady(units.get(id)!, state)).reverse();
  const active = open.filter((id) => ['handing', 'handed'].includes(state.units.get(id)!.status));
  return { units, dependents, ready, active: new Set(active), open: new Set(open) };
}

function isReady({ id, after }: PlannedUnit, state: SweepState): boolean {
  if (state.units.get(id)!.status !== 'waiting') return false;
  return after === undefined || state.units.get(after)!.status === 'finished';
}

export function stateOf({ state }: Sweeping, id: string): UnitState {
  return state.units.get(id)!;
}

/** The epoch that a unit may go to for now; undefined where nothing is decided on the way. */
export function targetOf(sweep: Sweeping, unit: PlannedUnit): number | undefined {
  const { halving } = sweep.plan;
  if (halving === undefined || unit.stage > 0 || trialsGoingOn(sweep).size < 2) return undefined;
  const epochs = Math.max(...sweep.plan.units.filter(({ stage }) => stage === 0).map((each) => each.epochs));
  const rung = rungEpochs(halving, epochs)[sweep.state.halvings.length];
  return rung !== undefined && rung < unit.epochs ? rung : undefined;
}

/** The trials that have a first unit which may go on or has finished. */
export function trialsGoingOn({ plan, state }: Sweeping): Set<string> {
  const going = plan.units.filter(({ id, stage }) => {
    const unit = state.units.get(id)!;
    return stage === 0 && (!isOver(unit) || unit.status === 'finished');
  });
  return new Set(going.map(({ trial }) => trial));
}

/** How far a unit's run has come. */
export async function progressOf(
  { runsDir }: Pick<Sweeping, 'runsDir'>,
  { run_id }: PlannedUnit,
): Promise<{ checkpoint: string | undefined; epochs: number }> {
  const index = await readCheckpointIndex(join(runsDir, run_id)).catch(() => ({ last: undefined }));
  const run = readRun(runsDir, run_id);
  return { checkpoint: index.last, epochs: run?.record.epochs.at(-1)?.epoch ?? 0 };
}
