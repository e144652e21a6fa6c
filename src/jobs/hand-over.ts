import { UserError } from '../core/errors.ts';
import { readEnd, writeAttempt } from './attempt.ts';
import { nextTarget, targetOf } from './decide-halving.ts';
import type { Job } from './executor.ts';
import type { NewEvent } from './sweep-events.ts';
import { type PlannedUnit, sweepFiles } from './sweep-plan.ts';
import { type Sweeping, stateOf } from './sweeping.ts';
import { close, drop, settle } from './take-ends.ts';

/** Hands the engine as many units as it takes. */
export async function handOver(sweep: Sweeping): Promise<void> {
  await handAgain(sweep);
  const { ready, active, executor, log } = sweep;
  const next: PlannedUnit[] = [];
  while (active.size + next.length < executor.atOnce && ready.length > 0) {
    const unit = sweep.units.get(ready.pop()!)!;
    const { status, cancelling } = stateOf(sweep, unit.id);
    // It may have come to an end since, or be in here twice.
    if ((status === 'waiting' || status === 'paused') && !cancelling && !next.includes(unit)) next.push(unit);
  }
  if (next.length === 0) return;
  const target = nextTarget(sweep);
  const handing = next.map((unit): NewEvent => {
    const until = targetOf(unit, target);
    const attempt = stateOf(sweep, unit.id).attempts + 1;
    return { type: 'handing', unit: unit.id, attempt, ...(until === undefined ? {} : { until }) };
  });
  try {
    log.append(...handing);
  } catch (error) {
    // The disk is full: they wait on.
    ready.push(...next.reverse().map(({ id }) => id));
    throw error;
  }
  for (const { id } of next) active.add(id);
  await hand(sweep, next);
}

/** Those of which it is not known whether they came to the engine: the one that handed them over died, or got no answer. */
async function handAgain(sweep: Sweeping): Promise<void> {
  const unsure = [...sweep.active].filter((id) => stateOf(sweep, id).status === 'handing');
  if (unsure.length === 0) return;
  const there = await sweep.executor.list(sweep.plan.run_id);
  const lost: PlannedUnit[] = [];
  for (const id of unsure) {
    const unit = sweep.units.get(id)!;
    const { id: job, file } = jobOf(sweep, unit);
    const handle = there.get(job);
    if (handle !== undefined) noteHanded(sweep, [unit], [handle]);
    else if (readEnd(file) !== undefined) await settle(sweep, unit);
    else if (stateOf(sweep, id).cancelling) {
      sweep.active.delete(id);
      await drop(sweep, unit, 'cancelled', 'cancelled');
    } else lost.push(unit);
  }
  if (lost.length > 0) await hand(sweep, lost);
}

/** Throws Error where the engine does not answer: they stay on their way to it. What it refuses it would refuse again. */
async function hand(sweep: Sweeping, units: readonly PlannedUnit[]): Promise<void> {
  const { plan, dir } = sweep;
  const { environment } = sweepFiles(dir);
  const jobs = units.map((unit) => jobOf(sweep, unit));
  for (const [index, unit] of units.entries()) {
    const { until } = stateOf(sweep, unit.id);
    const words = until === undefined ? unit.words : [...unit.words, `until_epoch=${until}`];
    await writeAttempt(jobs[index]!.file, { words, cwd: plan.cwd, environment });
  }
  try {
    noteHanded(sweep, units, await sweep.executor.submit(jobs));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // It may have taken some before.
    const there = await sweep.executor.list(plan.run_id);
    for (const [index, unit] of units.entries()) {
      const handle = there.get(jobs[index]!.id);
      if (handle === undefined) await refuse(sweep, unit, error.message);
      else noteHanded(sweep, [unit], [handle]);
    }
  }
}

async function refuse(sweep: Sweeping, unit: PlannedUnit, why: string): Promise<void> {
  const { attempts: attempt } = stateOf(sweep, unit.id);
  sweep.log.append({ type: 'ended', unit: unit.id, attempt, outcome: 'refused', again: false, why });
  sweep.active.delete(unit.id);
  await close(sweep, unit);
}

function noteHanded({ log, state }: Sweeping, units: readonly PlannedUnit[], handles: readonly string[]): void {
  log.append(
    ...units.map(({ id }, index): NewEvent => {
      return { type: 'handed', unit: id, attempt: state.units.get(id)!.attempts, handle: handles[index]! };
    }),
  );
}

/** The attempt of a unit that is under way. */
export function jobOf({ plan, dir, state }: Pick<Sweeping, 'plan' | 'dir' | 'state'>, { id }: PlannedUnit): Job {
  const { attempts } = state.units.get(id)!;
  return { id: `${plan.run_id}.${id}.${attempts}`, file: sweepFiles(dir).attempt(id, attempts) };
}
