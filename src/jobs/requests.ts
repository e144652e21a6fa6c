import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { sweepFiles } from './sweep-plan.ts';
import type { UnitStatus } from './sweep-state.ts';
import { type Sweeping, stateOf } from './sweeping.ts';
import { drop } from './take-ends.ts';

/** What a user asks of whoever drives a sweep, by a file: only one process writes its events. */
export type Request = { cancel: 'all' | string } | { retry: 'failed' | 'cancelled' };

/** Asks for it; it is heard within a second or two. */
export async function makeRequest(sweepDir: string, request: Request): Promise<void> {
  const name =
    'retry' in request ? `retry.${request.retry}` : request.cancel === 'all' ? 'cancel' : `cancel.${request.cancel}`;
  await writeFileAtomic(join(sweepFiles(sweepDir).requests, name), '');
}

/** Does what was asked for since. */
export async function takeRequests(sweep: Sweeping): Promise<void> {
  const { requests } = sweepFiles(sweep.dir);
  const names = (await readdir(requests)).filter((name) => !name.startsWith('.'));
  for (const name of names.sort()) {
    if (name === 'retry.failed') retry(sweep, ['failed', 'refused', 'skipped']);
    else if (name === 'retry.cancelled') retry(sweep, ['cancelled']);
    else if (name === 'cancel') sweep.log.append({ type: 'cancelling', units: 'all' });
    else sweep.log.append({ type: 'cancelling', units: [name.slice('cancel.'.length)] });
    await rm(join(requests, name), { force: true });
  }
}

/** Units that ended so are begun again, or gone on with. */
function retry(sweep: Sweeping, ended: readonly UnitStatus[]): void {
  const { plan, log, open, ready } = sweep;
  const units = plan.units.filter(({ id }) => ended.includes(stateOf(sweep, id).status));
  if (units.length === 0) return;
  log.append({ type: 'retrying', units: units.map(({ id }) => id) });
  for (const { id, after } of units.toReversed()) {
    open.add(id);
    if (after === undefined || stateOf(sweep, after).status === 'finished') ready.push(id);
  }
}

/**
 * Ends those units that are to be cancelled: those with the engine are told to save and stop, once.
 * @param told the attempts that were told by this process: a second word would have them end without saving
 */
export async function cancelUnits(sweep: Sweeping, told: Set<string>): Promise<void> {
  const { state, units, open } = sweep;
  const wanted = [...open].filter((id) => state.cancelling || stateOf(sweep, id).cancelling);
  if (wanted.length === 0) return;
  if (state.cancelling) {
    const unmarked = wanted.filter((id) => !stateOf(sweep, id).cancelling);
    if (unmarked.length > 0) sweep.log.append({ type: 'cancelling', units: unmarked });
  }
  for (const id of wanted) {
    const { status } = stateOf(sweep, id);
    if (status === 'waiting' || status === 'paused') await drop(sweep, units.get(id)!, 'cancelled', 'cancelled');
  }
  const attemptOf = (id: string) => `${id}.${stateOf(sweep, id).attempts}`;
  const running = wanted.filter((id) => stateOf(sweep, id).status === 'handed' && !told.has(attemptOf(id)));
  if (running.length === 0) return;
  await sweep.executor.cancel(running.map((id) => stateOf(sweep, id).handle!));
  for (const id of running) told.add(attemptOf(id));
}
