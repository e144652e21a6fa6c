import type { Terminal } from '../core/terminal.ts';
import { openJournal } from '../tracking/journal.ts';
import { readRecord } from '../tracking/read-record.ts';
import type { RunSummary } from '../tracking/runs.ts';
import { tryLockRun } from './run-folder.ts';

/** `true` where a run was stopped in order to be taken up again (SIGUSR1): it has not ended. */
export const REQUEUE_TAG = 'harness.requeue';

/**
 * Ends as KILLED those runs that nobody trains any more and that had no time to say so: their process is gone, and they were not
 * stopped to be taken up again. Returns how many.
 */
export async function closeAbandoned(runs: readonly RunSummary[], terminal: Terminal): Promise<number> {
  let closed = 0;
  for (const { status, dir, run_id, record } of runs) {
    if (status !== 'RUNNING' || record.tags[REQUEUE_TAG] === 'true') continue;
    const release = await tryLockRun(dir);
    if (release === undefined) continue;
    try {
      // It may have ended between the reading and the lock.
      if (readRecord(dir)?.status !== 'RUNNING') continue;
      const journal = await openJournal(dir);
      journal.end('KILLED');
      journal.close();
    } finally {
      await release();
    }
    terminal.say(`${run_id}: its process is gone; it ends as KILLED, and resume=${run_id} goes on with it`);
    closed++;
  }
  return closed;
}
