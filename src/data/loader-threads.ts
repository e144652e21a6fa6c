import { startWorkerThread } from '../core/worker-thread.ts';

/** Threads that run one module until they are closed. What passes between them and their owner is in shared memory. */
export interface Threads<Job> {
  /** Gives a job to every thread. */
  give(job: Job): void;
  /** Throws what went wrong, if anything did: from then on no thread is at work. */
  check(): void;
  /** Whether something went wrong. */
  failed(): boolean;
  /** Resolves when a thread has said anything after the call, or something went wrong. */
  news(): Promise<void>;
  /** Ends the threads; resolves when they are gone. */
  close(): Promise<void>;
}

/**
 * Starts `count` threads of a module, which says something (`parentPort.postMessage`) whenever its owner should look
 * again. An error in a thread, a thread that ends on its own and an abort stop all of them; the first is kept.
 * @param module `new URL('./worker.ts', import.meta.url)`.
 */
export function startThreads<Job>(
  module: URL,
  setup: unknown,
  { count, signal }: { count: number; signal: AbortSignal },
): Threads<Job> {
  const threads = Array.from({ length: count }, () => startWorkerThread(module, setup));
  const end = () => Promise.all(threads.map((thread) => thread.terminate()));
  let failure: { error: unknown } | undefined;
  let wake = () => {};
  const fail = (error: unknown) => {
    if (failure !== undefined) return;
    failure = { error };
    void end();
    wake();
  };
  const onAbort = () => fail(signal.reason);
  for (const thread of threads) {
    thread.on('message', () => wake());
    thread.on('error', fail);
    thread.on('exit', (code) => fail(new Error(`A loader thread ended on its own, code ${code}.`)));
  }
  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  return {
    give: (job) => {
      for (const thread of threads) thread.postMessage(job);
    },
    check: () => {
      if (failure !== undefined) throw failure.error;
    },
    failed: () => failure !== undefined,
    news: () =>
      new Promise((resolve) => {
        wake = resolve;
        if (failure !== undefined) resolve();
      }),
    close: async () => {
      signal.removeEventListener('abort', onAbort);
      fail(new Error('Expected an open loader but it was closed.'));
      await end();
    },
  };
}
