import { readEnd } from './attempt.ts';
import { judge } from './judge-end.ts';
import { type PlannedUnit, sweepFiles } from './sweep-plan.ts';
import { failuresAfter, isOver } from './sweep-state.ts';
import { progressOf, type Sweeping, stateOf } from './sweeping.ts';

/**
 * Asks the engine for the jobs that it has, and notes how those ended that it has no more.
 * @param missing since when jobs are gone without having said how they ended, by unit: on a shared folder their word may come late
 * @param graceMs so long it is waited for
 */
export async function takeEnds(sweep: Sweeping, missing: Map<string, number>, graceMs: number): Promise<void> {
  const handed = [...sweep.active].filter((id) => stateOf(sweep, id).status === 'handed');
  if (handed.length === 0) return;
  const states = await sweep.executor.status(handed.map((id) => stateOf(sweep, id).handle!));
  for (const id of handed) {
    const state = stateOf(sweep, id);
    if (states.get(state.handle!) !== 'gone') {
      missing.delete(id);
      continue;
    }
    const end = readEnd(sweepFiles(sweep.dir).attempt(id, state.attempts));
    if (!missing.has(id)) missing.set(id, Date.now());
    if (end === undefined && Date.now() - missing.get(id)! < graceMs) continue;
    missing.delete(id);
    await settle(sweep, sweep.units.get(id)!);
  }
}

/** Notes how a unit's attempt ended, and what follows from it. */
export async function settle(sweep: Sweeping, unit: PlannedUnit): Promise<void> {
  const state = stateOf(sweep, unit.id);
  const { attempts: attempt } = state;
  const end = readEnd(sweepFiles(sweep.dir).attempt(unit.id, attempt));
  const { checkpoint, epochs, damaged } = await progressOf(sweep, unit);
  const judged = judge({ end, checkpoint, epochs }, state);
  // Nobody can go on with such a run, and one of them must hold up no other.
  const { outcome, why } = damaged === undefined ? judged : { outcome: 'refused' as const, why: damaged };
  const failures = failuresAfter(state, outcome, checkpoint);
  const again = (outcome === 'failed' || outcome === 'preempted') && failures <= sweep.plan.retries;
  sweep.log.append({
    type: 'ended',
    unit: unit.id,
    attempt,
    outcome,
    again,
    ...(end === undefined ? {} : { code: end.code }),
    ...(checkpoint === undefined ? {} : { checkpoint }),
    ...(why === undefined ? {} : { why }),
  });
  sweep.active.delete(unit.id);
  if (again) {
    sweep.ready.push(unit.id);
    return;
  }
  sweep.moving.delete(unit.id);
  if (isOver(stateOf(sweep, unit.id))) await close(sweep, unit);
}

/** A unit has come to its end: those that wait for it may begin, or never will. */
export async function close(sweep: Sweeping, unit: PlannedUnit): Promise<void> {
  const { status, why = status } = stateOf(sweep, unit.id);
  sweep.open.delete(unit.id);
  sweep.moving.delete(unit.id);
  for (const next of sweep.dependents.get(unit.id) ?? []) {
    if (isOver(stateOf(sweep, next.id))) continue;
    if (status === 'finished') sweep.ready.push(next.id);
    else
      await drop(
        sweep,
        next,
        status === 'stopped' || status === 'cancelled' ? status : 'skipped',
        `${unit.id}: ${why}`,
      );
  }
  if (status === 'finished') return;
  const asRun = status === 'failed' || status === 'refused' ? 'FAILED' : 'KILLED';
  await sweep.closeRun(unit, asRun, { 'sweep.ended': why });
}

/** A unit that the engine does not have comes to its end without another attempt. */
export async function drop(
  sweep: Sweeping,
  unit: PlannedUnit,
  outcome: 'cancelled' | 'stopped' | 'skipped',
  why: string,
): Promise<void> {
  sweep.log.append({ type: 'dropped', unit: unit.id, outcome, why });
  await close(sweep, unit);
}
