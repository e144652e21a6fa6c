import { closeSync, existsSync, fstatSync, fsyncSync, ftruncateSync, openSync } from 'node:fs';
import { endOfWholeLines, readLines, writeLines } from '../tracking/journal-file.ts';

/** How an attempt of a unit came out. */
export type Outcome =
  | 'finished'
  /** Saved and to be gone on with: as far as halving lets it go. */
  | 'paused'
  /** Stopped from outside, or its machine was lost. */
  | 'preempted'
  | 'failed'
  /** Its configuration or its data are wrong: it is never begun again. */
  | 'refused'
  | 'cancelled';

/** One line of `events.jsonl`: what a sweep has done and decided, in order; its state is read from here. Times are ms since 1970. */
export type SweepEvent = { time: number } & (
  | { type: 'begun' }
  /** About to be handed to the engine: whoever takes up the sweep asks the engine whether it came there. */
  | { type: 'handing'; unit: string; attempt: number; until?: number }
  | { type: 'handed'; unit: string; attempt: number; handle: string }
  /** `again`: another attempt follows. `code`: the exit code; none where nothing told it. */
  | {
      type: 'ended';
      unit: string;
      attempt: number;
      outcome: Outcome;
      again: boolean;
      code?: number;
      checkpoint?: string;
      why?: string;
    }
  /** Where trials stood at an epoch, the best first, and who goes on. */
  | { type: 'halved'; rung: number; epoch: number; limit: number; kept: RankedTrial[]; stopped: RankedTrial[] }
  /** It never runs: something that it needs did not come about, or nobody wants it any more. */
  | { type: 'dropped'; unit: string; outcome: 'cancelled' | 'stopped' | 'skipped'; why: string }
  | { type: 'cancelling'; units: string[] | 'all' }
  /** The engine has told these attempts to save and stop: a second word would have them end without saving. */
  | { type: 'told'; units: string[] }
  | { type: 'retrying'; units: string[] }
  | { type: 'over'; status: 'FINISHED' | 'FAILED' | 'KILLED' }
);

/** A trial by the mean over its units of the best validation Dice so far. */
export interface RankedTrial {
  trial: string;
  dice: number;
}

/** `Omit` that keeps each member of a union. */
type Untimed<T> = T extends unknown ? Omit<T, 'time'> : never;
export type NewEvent = Untimed<SweepEvent>;

export interface EventLog {
  /** On the disk when it returns. */
  append(...events: readonly NewEvent[]): void;
  close(): void;
}

/** Opens the log to be written on, by one process alone; a torn last line is cut off first. */
export function openEvents(path: string, heard: (event: SweepEvent) => void): EventLog {
  const file = openSync(path, 'a+');
  ftruncateSync(file, endOfWholeLines(file, fstatSync(file).size));
  return {
    append: (...events) => {
      const timed = events.map((event) => ({ time: Date.now(), ...event }) as SweepEvent);
      const { size } = fstatSync(file);
      writeLines(file, timed.map((event) => `${JSON.stringify(event)}\n`).join(''));
      try {
        fsyncSync(file);
      } catch (error) {
        // What nobody has heard of must not be read later.
        ftruncateSync(file, size);
        throw error;
      }
      for (const event of timed) heard(event);
    },
    close: () => closeSync(file),
  };
}

/** All whole lines from byte `from` on, and where the next one begins. Throws Error, naming the place, for a damaged one. */
export function readEvents(path: string, from = 0): { events: SweepEvent[]; end: number } {
  if (!existsSync(path)) return { events: [], end: from };
  const lines = readLines<SweepEvent>(path, from, Number.POSITIVE_INFINITY);
  return { events: lines.map(({ entry }) => entry), end: lines.at(-1)?.end ?? from };
}
