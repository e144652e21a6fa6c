import { inspect } from 'node:util';

/** A mistake of the user's: configuration or input. `cli.ts` prints its message alone and exits with 2. */
export class UserError extends Error {
  override name = 'UserError';
}

/** The user's wish to stop: what a command's signal is aborted with, and what `signal.throwIfAborted()` throws. */
export class Stopped extends Error {
  override name = 'AbortError';

  /** Whether the work is to be taken up again later, so that it has not ended. */
  readonly requeue: boolean;

  constructor(message: string, { requeue = false } = {}) {
    super(message);
    this.requeue = requeue;
  }
}

/** Whether what a signal was aborted with says that the work is to be taken up again. */
export function isRequeue(reason: unknown): boolean {
  return reason instanceof Stopped && reason.requeue;
}

/**
 * The sentence every check of a value speaks: `Expected <what> for <where> but received <value>.`, then what to do next.
 * `received` is shown as JSON, cut to 120 characters.
 */
export function expected(what: string, where: string, received: unknown, next = ''): string {
  return `Expected ${what} for ${where} but received ${show(received)}.${next === '' ? '' : ` ${next}`}`;
}

/** The message of anything thrown, whatever it is (some libraries throw strings and bare objects). */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof Error) return thrown.message;
  if (typeof thrown === 'string') return thrown;
  return show(thrown);
}

/** An error with all that helps to find the fault; one whose stack is a sentence (the machine refused something) as that alone. */
export function showError(error: unknown): string {
  const stack = error instanceof Error ? error.stack : undefined;
  return stack === undefined || /\n +at /.test(stack) ? inspect(error) : stack;
}

function show(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'undefined' || typeof value === 'bigint') return String(value);
  if (value instanceof Error) return value.message;
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 120 ? `${text.slice(0, 117)}…` : text;
}
