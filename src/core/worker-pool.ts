import { availableParallelism } from 'node:os';
import { parentPort, type Worker, workerData } from 'node:worker_threads';
import { UserError } from './errors.ts';
import { startWorkerThread } from './worker-thread.ts';

type Answer<Result> = { index: number; result: Result } | { index: number; error: ThreadError };

/** An error in a form that survives the way between threads (classes do not). */
interface ThreadError {
  user: boolean;
  message: string;
  stack: string;
}

/** A thread takes a third of a second to start, so short lists are not worth one for each core. */
const LEAST_TASKS_PER_WORKER = 8;

/**
 * Gives every task to a pool of worker threads whose file calls `serveTasks`, and resolves with the results in the
 * order of the tasks, whoever made them. The first failure stops all threads and is thrown (a UserError stays one).
 * @param options.workers how many threads at most; as many as the machine runs at once when left out.
 * @param options.inFlight how many tasks a thread holds at once (1 when left out): with 2 it computes one while it waits for
 * the disk or a library's own threads in another.
 * @param options.onResult called as results come, in any order.
 * @param options.signal stops all threads when aborted; its reason is thrown.
 */
export async function mapInWorkers<Task, Result>(
  entry: URL,
  setup: unknown,
  tasks: readonly Task[],
  options: { workers?: number; inFlight?: number; onResult?: (result: Result) => void; signal?: AbortSignal } = {},
): Promise<Result[]> {
  options.signal?.throwIfAborted();
  const results = new Array<Result>(tasks.length);
  const worthwhile = Math.ceil(tasks.length / LEAST_TASKS_PER_WORKER);
  const count = Math.min(options.workers ?? availableParallelism(), worthwhile);
  const workers = Array.from({ length: count }, () => startWorkerThread(entry, setup));
  let next = 0;
  const accept = (index: number, result: Result) => {
    results[index] = result;
    options.onResult?.(result);
  };
  const finished = new AbortController();
  const takeNext = () => (next < tasks.length ? { index: next, task: tasks[next++]! } : undefined);
  try {
    const feeding = Promise.all(workers.map((worker) => feed(worker, takeNext, accept, options.inFlight ?? 1)));
    await Promise.race([feeding, aborted(options.signal, finished.signal)]);
  } catch (error) {
    await Promise.all(workers.map((worker) => worker.terminate()));
    throw error;
  } finally {
    finished.abort();
  }
  return results;
}

/** Answers the tasks of `mapInWorkers` as they come; to be called once, at the top of a worker's file. */
export function serveTasks<Setup, Task, Result>(handle: (task: Task, setup: Setup) => Promise<Result>): void {
  const port = parentPort;
  if (port === null) throw new Error('serveTasks is for worker threads.');
  const setup = workerData as Setup;
  port.on('message', async (message: { index: number; task: Task } | undefined) => {
    if (message === undefined) return port.close();
    try {
      port.postMessage({ index: message.index, result: await handle(message.task, setup) });
    } catch (error) {
      port.postMessage({ index: message.index, error: describe(error) });
    }
  });
}

/** Keeps one worker busy until no task is left; resolves when its thread has ended. */
function feed<Task, Result>(
  worker: Worker,
  takeNext: () => { index: number; task: Task } | undefined,
  accept: (index: number, result: Result) => void,
  inFlight: number,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let held = 0;
    let done = false;
    const give = () => {
      const message = takeNext();
      if (message !== undefined) held++;
      else if (held > 0 || done) return;
      else done = true;
      worker.postMessage(message);
    };
    worker.on('message', (answer: Answer<Result>) => {
      if ('error' in answer) return reject(revive(answer.error));
      held--;
      accept(answer.index, answer.result);
      give();
    });
    worker.on('error', reject);
    worker.on('exit', (code) => (done ? resolve() : reject(new Error(`A worker thread ended early, code ${code}.`))));
    for (let i = 0; i < inFlight; i++) give();
  });
}

/** Never resolves; rejects when the signal is aborted, listening until the work is finished. */
function aborted(signal: AbortSignal | undefined, finished: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener('abort', () => reject(signal.reason), { once: true, signal: finished });
  });
}

function describe(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { user: false, message: String(error), stack: '' };
  return { user: error instanceof UserError, message: error.message, stack: error.stack ?? '' };
}

function revive({ user, message, stack }: ThreadError): Error {
  return user ? new UserError(message) : new Error(message, { cause: stack });
}
