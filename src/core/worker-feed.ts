import type { Worker } from 'node:worker_threads';
import { UserError } from './errors.ts';

/** A task on its way to a thread. */
export type Given<Task> = { index: number; task: Task };
/** What a thread says when its modules are loaded: from then on it can be late. */
export const READY = 'ready';
/** What comes back of a task. */
type Answer<Result> = { index: number; result: Result } | { index: number; error: ThreadError };

/** An error in a form that survives the way between threads (classes do not). */
export interface ThreadError {
  user: boolean;
  message: string;
  stack: string;
}

interface Feeding<Task, Result> {
  from: Iterator<Given<Task>>;
  accept(index: number, result: Result): void;
  /** How many tasks it holds at once. */
  atOnce: number;
  /** Seconds without an answer after which the thread is ended; it may be silent for ever without. */
  silence: number | undefined;
}

/**
 * Keeps one thread busy until no task is left, and resolves when it has ended: with what it held where it was ended for its
 * silence, else with nothing. Throws what a task threw, or where the thread ends on its own.
 */
export function feedThread<Task, Result>(
  worker: Worker,
  { from, accept, atOnce, silence }: Feeding<Task, Result>,
): Promise<Given<Task>[]> {
  return new Promise((resolve, reject) => {
    const held = new Map<number, Given<Task>>();
    let leaves = false;
    const give = () => {
      const next = from.next();
      if (next.done !== true) {
        held.set(next.value.index, next.value);
        worker.postMessage(next.value);
      } else if (held.size === 0 && !leaves) {
        leaves = true;
        worker.postMessage(undefined);
      }
    };
    const end = () => {
      leaves = true;
      void worker.terminate();
    };
    let timer: NodeJS.Timeout | undefined;
    worker.on('message', (answer: Answer<Result> | typeof READY) => {
      if (answer === READY) {
        if (silence !== undefined) timer = setTimeout(end, silence * 1000);
        return;
      }
      if ('error' in answer) return reject(revive(answer.error));
      timer?.refresh();
      held.delete(answer.index);
      accept(answer.index, answer.result);
      give();
    });
    worker.on('error', reject);
    worker.on('exit', (code) => {
      clearTimeout(timer);
      if (leaves) resolve([...held.values()]);
      else reject(new Error(`A worker thread ended early, code ${code}.`));
    });
    for (let i = 0; i < atOnce; i++) give();
  });
}

function revive({ user, message, stack }: ThreadError): Error {
  return user ? new UserError(message) : new Error(message, { cause: stack });
}
