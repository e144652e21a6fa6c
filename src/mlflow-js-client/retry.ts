import { setTimeout as sleep } from 'node:timers/promises';
import { errorOfAnswer, MlflowError } from './error.ts';
import type { Answer, Call } from './http.ts';
import { send } from './http.ts';

export interface RetryOptions {
  timeoutMs: number;
  /** How many more times a failed call is sent. */
  retries: number;
  /** Ends waiting and calls in flight. */
  signal: AbortSignal;
}

const FIRST_DELAY_MS = 250;
const LONGEST_DELAY_MS = 30_000;

/**
 * Sends a call until it succeeds, at most `1 + retries` times, with delays that double and are drawn at random from
 * their upper half, so that many clients do not return in step. A call that is `repeatable` (sending it twice leaves
 * the same as once) is sent again after 408, 429, 5xx and lost connections; any other only where the server certainly
 * did nothing with it. Throws the last MlflowError.
 */
export async function sendWithRetries(call: Call, repeatable: boolean, options: RetryOptions): Promise<Uint8Array> {
  for (let attempt = 0; ; attempt++) {
    let wait = Math.min(FIRST_DELAY_MS * 2 ** attempt, LONGEST_DELAY_MS);
    let failure: unknown;
    try {
      const answer: Answer = await send(call, options.timeoutMs, options.signal);
      if (answer.status < 300) return answer.body;
      failure = errorOfAnswer(call, answer.status, answer.body);
      wait = Math.min(Math.max(wait, answer.retryAfterMs ?? 0), LONGEST_DELAY_MS);
    } catch (error) {
      failure = error;
    }
    if (attempt >= options.retries || !mayRepeat(failure, repeatable)) throw failure;
    await sleep(wait * (0.5 + Math.random() / 2), undefined, { signal: options.signal }).catch(() => {
      throw new MlflowError(call, { code: 'CLOSED', message: 'the client was closed', cause: failure });
    });
  }
}

function mayRepeat(failure: unknown, repeatable: boolean): boolean {
  return failure instanceof MlflowError && (repeatable ? failure.transient : failure.unsent);
}
