import type { AttemptEnd } from './attempt.ts';
import type { Outcome } from './sweep-events.ts';
import type { UnitState } from './sweep-state.ts';

/** What is known of an attempt that the engine has no more. */
export interface Ended {
  /** What it said itself; undefined where something ended it before it could. */
  end: AttemptEnd | undefined;
  /** Its run's last checkpoint. */
  checkpoint: string | undefined;
  /** Epochs that its run has done. */
  epochs: number;
}

/** Saved, to be taken up again (SIGUSR1, or `until_epoch`); the user's mistake; stopped by SIGTERM and by Ctrl-C. */
const [SAVED, MISTAKE, TERMINATED, INTERRUPTED] = [75, 2, 143, 130];

/** What an attempt's end means for its unit (see `cli.ts` for the exit codes). */
export function judge({ end, epochs }: Ended, unit: UnitState): { outcome: Outcome; why?: string } {
  const { code, message } = end ?? {};
  const said = `exit code ${code}${message === undefined ? '' : `: ${message.split('\n')[0]}`}`;
  if (code === 0 || code === 3) return { outcome: 'finished' };
  if (code === SAVED && unit.until !== undefined && epochs >= unit.until) return { outcome: 'paused' };
  if (unit.cancelling) return { outcome: 'cancelled', why: 'cancelled' };
  if (code === MISTAKE) return { outcome: 'refused', why: said };
  if (code === undefined) return { outcome: 'preempted', why: 'killed, or its machine was lost' };
  if (code === SAVED || code === TERMINATED || code === INTERRUPTED) {
    return { outcome: 'preempted', why: `stopped from outside (exit code ${code})` };
  }
  return { outcome: 'failed', why: said };
}
