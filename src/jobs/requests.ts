import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isAside, writeFileAtomic } from '../core/atomic-file.ts';
import { stoppedTrials } from './decide-halving.ts';
import { sweepFiles } from './sweep-plan.ts';
import { isOver, type UnitStatus } from './sweep-state.ts';
import { type Sweeping, stateOf } from './sweeping.ts';
import { drop } from './take-ends.ts';

/** What a user asks of whoever drives a sweep, by a file: only one process writes its events. */
export type Request = { cancel: 'all' | string } | { retry: 'failed' | 'cancelled' };

let asked = 0;

/** Asks for it, behind what was asked for before; it is heard within a second or two. Returns the file, which goes when it is. */
export async function makeRequest(sweepDir: string, request: Request): Promise<string> {
  const what =
    'retry' in request ? `retry.${request.retry}` : request.cancel === 'all' ? 'cancel' : `cancel.${request.cancel}`;
  // A clock of the disk tells no two within some milliseconds apart.
  const order = `${Date.now()}-${String(++asked).padStart(4, '0')}`;
  const path = join(sweepFiles(sweepDir).requests, `${order}.${what}`);
  await writeFileAtomic(path, '');
  return path;
}

/** The files of what was asked for and not heard yet, in the order in which it was. */
export async function listRequests(sweepDir: string): Promise<string[]> {
  const names = await readdir(sweepFiles(sweepDir).requests);
  return names.filter((name) => !isAside(name)).sort();
}

/** Does what was asked for since. */
export async function takeRequests(sweep: Sweeping): Promise<void> {
  for (const file of await listRequests(sweep.dir)) {
    const name = file.slice(file.indexOf('.') + 1);
    if (name.startsWith('retry.')) {
      // Those that are about to be cancelled are meant too.
      if (toCancel(sweep).length > 0) return;
      retry(sweep, name === 'retry.failed' ? ['failed', 'refused', 'skipped'] : ['cancelled']);
    } else if (name === 'cancel') sweep.log.append({ type: 'cancelling', units: 'all' });
    else sweep.log.append({ type: 'cancelling', units: [name.slice('cancel.'.length)] });
    await rm(join(sweepFiles(sweep.dir).requests, file), { force: true });
  }
}

/** Units that ended so are begun again, or gone on with, as far as what they need is there or comes about. */
function retry(sweep: Sweeping, ended: readonly UnitStatus[]): void {
  const { plan, log, open, ready, moving } = sweep;
  const stopped = stoppedTrials(sweep);
  const wanted = new Set<string>();
  // A unit comes behind the one that it waits for.
  for (const { id, after, trial } of plan.units) {
    if (!ended.includes(stateOf(sweep, id).status) || stopped.has(trial)) continue;
    if (after !== undefined && !wanted.has(after) && !mayFinish(sweep, after)) continue;
    wanted.add(id);
  }
  if (wanted.size === 0) return;
  log.append({ type: 'retrying', units: [...wanted] });
  for (const id of [...wanted].reverse()) {
    const { after, stage } = sweep.units.get(id)!;
    open.add(id);
    if (stage === 0) moving.add(id);
    if (after === undefined || stateOf(sweep, after).status === 'finished') ready.push(id);
  }
}

function mayFinish(sweep: Sweeping, id: string): boolean {
  const unit = stateOf(sweep, id);
  return unit.status === 'finished' || !isOver(unit);
}

/** Ends those units that are to be cancelled and that the engine does not have. */
export async function dropCancelled(sweep: Sweeping): Promise<void> {
  const { state, units } = sweep;
  const wanted = toCancel(sweep);
  const unmarked = state.cancelling ? wanted.filter((id) => !stateOf(sweep, id).cancelling) : [];
  if (unmarked.length > 0) sweep.log.append({ type: 'cancelling', units: unmarked });
  for (const id of wanted) {
    const { status } = stateOf(sweep, id);
    if (status === 'waiting' || status === 'paused') await drop(sweep, units.get(id)!, 'cancelled', 'cancelled');
  }
}

/** Tells those that the engine has to save and stop, once each attempt. */
export async function cancelHanded(sweep: Sweeping): Promise<void> {
  const running = toCancel(sweep).filter((id) => {
    const { status, told } = stateOf(sweep, id);
    return status === 'handed' && !told;
  });
  if (running.length === 0) return;
  await sweep.executor.cancel(running.map((id) => stateOf(sweep, id).handle!));
  sweep.log.append({ type: 'told', units: running });
}

function toCancel(sweep: Sweeping): string[] {
  return [...sweep.open].filter((id) => sweep.state.cancelling || stateOf(sweep, id).cancelling);
}
