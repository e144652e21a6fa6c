import { availableParallelism } from 'node:os';
import { parentPort, type Worker, workerData } from 'node:worker_threads';
import { UserError } from './errors.ts';
import { feedThread, type Given, READY, type ThreadError } from './worker-feed.ts';
import { startWorkerThread } from './worker-thread.ts';

/** A thread takes a third of a second to start, so short lists are not worth one for each core. */
const LEAST_TASKS_PER_WORKER = 8;

/** What becomes of a task that keeps its thread from answering. */
export interface LateTasks<Task, Result> {
  /** How long a thread may be silent. */
  seconds: number;
  /** The result of a task that was late twice, the second time alone in a fresh thread; may throw. */
  result(task: Task): Result;
}

/**
 * Gives every task to a pool of worker threads whose file calls `serveTasks`, and resolves with the results in the
 * order of the tasks, whoever made them. The first failure stops all threads and is thrown (a UserError stays one).
 * @param options.workers how many threads at most; as many as the machine runs at once when left out.
 * @param options.inFlight how many tasks a thread holds at once (1 when left out): with 2 it computes one while it waits for
 * the disk or a library's own threads in another.
 * @param options.late for tasks that may never end: a thread that is silent for too long is ended, and what it held is
 * tried again, each task alone in a fresh thread.
 * @param options.onResult called as results come, in any order.
 * @param options.signal stops all threads when aborted; its reason is thrown.
 */
export async function mapInWorkers<Task, Result>(
  entry: URL,
  setup: unknown,
  tasks: readonly Task[],
  options: {
    workers?: number;
    inFlight?: number;
    late?: LateTasks<Task, Result>;
    onResult?: (result: Result) => void;
    signal?: AbortSignal;
  } = {},
): Promise<Result[]> {
  options.signal?.throwIfAborted();
  const { late, inFlight = 1 } = options;
  const results = new Array<Result>(tasks.length);
  const accept = (index: number, result: Result) => {
    results[index] = result;
    options.onResult?.(result);
  };
  const finished = new AbortController();
  const threads = new Set<Worker>();
  const feed = (from: Iterator<Given<Task>>, atOnce: number) => {
    finished.signal.throwIfAborted();
    const worker = startWorkerThread(entry, setup);
    threads.add(worker);
    worker.on('exit', () => threads.delete(worker));
    return feedThread(worker, { from, accept, atOnce, silence: late?.seconds });
  };
  const queue = tasks.map((task, index): Given<Task> => ({ index, task })).values();
  const serve = async (): Promise<void> => {
    for (let held = await feed(queue, inFlight); held.length > 0; held = await feed(queue, inFlight)) {
      for (const given of held) {
        const again = await feed([given].values(), 1);
        if (again.length > 0) accept(given.index, late!.result(given.task));
      }
    }
  };
  const worthwhile = Math.ceil(tasks.length / LEAST_TASKS_PER_WORKER);
  const count = Math.min(options.workers ?? availableParallelism(), worthwhile);
  try {
    const serving = Promise.all(Array.from({ length: count }, serve));
    await Promise.race([serving, aborted(options.signal, finished.signal)]);
  } catch (error) {
    finished.abort();
    await Promise.all([...threads].map((worker) => worker.terminate()));
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
  port.postMessage(READY);
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
