import { setTimeout as sleep } from 'node:timers/promises';
import { messageOf } from '../core/errors.ts';
import { decideHalving, followHalving } from './decide-halving.ts';
import { handOver } from './hand-over.ts';
import { cancelHanded, dropCancelled, takeRequests } from './requests.ts';
import { isOver } from './sweep-state.ts';
import { type Sweeping, stateOf } from './sweeping.ts';
import { close, takeEnds } from './take-ends.ts';

/** An engine that does not answer is asked again after this, at first and at most. */
const FIRST_DELAY_MS = 1000;
const LONGEST_DELAY_MS = 30_000;
/** A job's own word may come late over a shared folder. */
const SHARED_GRACE_MS = 10_000;

/**
 * Drives a sweep to its end from wherever it stands: hands units to the engine, notes how they end, decides what follows. An engine
 * that does not answer is waited for. Throws the signal's reason when it aborts: units that are with the engine go on, and whoever
 * drives next takes them up.
 */
export async function driveSweep(sweep: Sweeping, signal: AbortSignal): Promise<'FINISHED' | 'FAILED' | 'KILLED'> {
  const missing = new Map<string, number>();
  const graceMs = sweep.plan.jobs.executor === 'local' ? 0 : SHARED_GRACE_MS;
  let failures = 0;
  let unfollowed = true;
  sweep.log.append({ type: 'begun' });
  for (;;) {
    signal.throwIfAborted();
    try {
      if (unfollowed) await followUp(sweep);
      unfollowed = false;
      await takeRequests(sweep);
      await dropCancelled(sweep);
      await takeEnds(sweep, missing, graceMs);
      await cancelHanded(sweep);
      await decideHalving(sweep);
      await handOver(sweep);
      failures = 0;
    } catch (error) {
      unfollowed = true;
      if (failures === 0) sweep.terminal.warn(`the sweep waits and tries again: ${messageOf(error)}`);
      const delay = Math.min(FIRST_DELAY_MS * 2 ** failures++, LONGEST_DELAY_MS);
      await sleep(delay, undefined, { signal }).catch(() => {});
      continue;
    }
    if (sweep.open.size === 0) break;
    await sweep.executor.wait(signal);
  }
  return endOf(sweep);
}

/** What follows from what is noted, where the one that drove before died in between, or the disk refused something. */
async function followUp(sweep: Sweeping): Promise<void> {
  for (const unit of sweep.plan.units) {
    const state = stateOf(sweep, unit.id);
    if (isOver(state) && state.status !== 'finished') await close(sweep, unit);
  }
  await followHalving(sweep);
}

function endOf({ state }: Sweeping): 'FINISHED' | 'FAILED' | 'KILLED' {
  const ends = new Set([...state.units.values()].map(({ status }) => status));
  if (ends.has('cancelled')) return 'KILLED';
  return ends.has('failed') || ends.has('refused') || ends.has('skipped') ? 'FAILED' : 'FINISHED';
}
