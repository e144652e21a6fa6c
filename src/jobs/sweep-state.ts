import type { Outcome, SweepEvent } from './sweep-events.ts';
import type { SweepPlan } from './sweep-plan.ts';

/**
 * Where a unit stands. `waiting`: for the engine, its turn, or the unit before it; `handing`: on its way to the engine, or there;
 * `paused`: as far as halving lets it go so far. The others are ends.
 */
export type UnitStatus =
  | 'waiting'
  | 'handing'
  | 'handed'
  | 'paused'
  | 'finished'
  | 'failed'
  | 'refused'
  | 'cancelled'
  | 'stopped'
  | 'skipped';

export interface UnitState {
  status: UnitStatus;
  /** Attempts begun. */
  attempts: number;
  /** Those that failed, or were preempted without having got further. */
  failures: number;
  /** The engine's name of the last attempt. */
  handle?: string;
  /** The epoch to which this attempt goes, where that is not the last one. */
  until?: number;
  /** The run's last checkpoint when the last attempt ended: whoever has another one since has got further. */
  checkpoint?: string;
  /** Is to be cancelled, and whether the attempt under way has been told so. */
  cancelling?: boolean;
  told?: boolean;
  /** Why it ended as it did. */
  why?: string;
}

/** What the events of a sweep come to. */
export interface SweepState {
  units: Map<string, UnitState>;
  /** Decisions of halving, by rung. */
  halvings: Extract<SweepEvent, { type: 'halved' }>[];
  /** All of it is to be cancelled. */
  cancelling: boolean;
  over?: 'FINISHED' | 'FAILED' | 'KILLED';
  /** How often it was over. */
  ends: number;
}

/** Of a sweep without events. */
export function initialState({ units }: Pick<SweepPlan, 'units'>): SweepState {
  const waiting = units.map(({ id }): [string, UnitState] => [id, { status: 'waiting', attempts: 0, failures: 0 }]);
  return { units: new Map(waiting), halvings: [], cancelling: false, ends: 0 };
}

/** Takes the next event into the state. */
export function takeEvent(state: SweepState, event: SweepEvent): void {
  switch (event.type) {
    case 'begun':
      delete state.over;
      return;
    case 'cancelling':
      if (event.units === 'all') state.cancelling = true;
      else for (const id of event.units) unitOf(state, id).cancelling = true;
      return;
    case 'told':
      for (const id of event.units) unitOf(state, id).told = true;
      return;
    case 'retrying':
      delete state.over;
      state.cancelling = false;
      for (const id of event.units) begin(unitOf(state, id));
      return;
    case 'halved':
      state.halvings.push(event);
      return;
    case 'over':
      state.over = event.status;
      state.ends++;
      return;
    default:
      takeUnitEvent(unitOf(state, event.unit), event);
  }
}

function begin(unit: UnitState): void {
  Object.assign(unit, { status: 'waiting', failures: 0 });
  delete unit.cancelling;
  delete unit.why;
}

type UnitEvent = Extract<SweepEvent, { unit: string }>;

function takeUnitEvent(unit: UnitState, event: UnitEvent): void {
  switch (event.type) {
    case 'handing':
      unit.status = 'handing';
      unit.attempts = event.attempt;
      delete unit.until;
      delete unit.handle;
      delete unit.told;
      if (event.until !== undefined) unit.until = event.until;
      return;
    case 'handed':
      unit.status = 'handed';
      unit.handle = event.handle;
      return;
    case 'ended':
      takeEnd(unit, event);
      return;
    case 'dropped':
      unit.status = event.outcome;
      unit.why = event.why;
      return;
  }
}

function takeEnd(unit: UnitState, { outcome, again, checkpoint, why }: Extract<SweepEvent, { type: 'ended' }>): void {
  unit.failures = failuresAfter(unit, outcome, checkpoint);
  if (checkpoint !== undefined) unit.checkpoint = checkpoint;
  if (why !== undefined) unit.why = why;
  unit.status = again ? 'waiting' : outcome === 'preempted' ? 'failed' : outcome;
}

/** How many attempts have failed by now: one that was preempted counts too where it had not got further, or it might go on so for ever. */
export function failuresAfter(unit: UnitState, outcome: Outcome, checkpoint: string | undefined): number {
  const further = checkpoint !== undefined && checkpoint !== unit.checkpoint;
  return unit.failures + (outcome === 'failed' || (outcome === 'preempted' && !further) ? 1 : 0);
}

function unitOf(state: SweepState, id: string): UnitState {
  const unit = state.units.get(id);
  if (unit === undefined) throw new Error(`Expected a unit of the sweep in its events but received ${id}.`);
  return unit;
}

/** Whether nothing will become of a unit any more beyond what it is. */
export function isOver({ status }: UnitState): boolean {
  return !['waiting', 'handing', 'handed', 'paused'].includes(status);
}
