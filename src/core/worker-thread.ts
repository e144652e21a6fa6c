import { Worker } from 'node:worker_threads';

/**
 * Starts a TypeScript module of this project in a thread of its own.
 * Node 20 gives a thread none of the loaders that its parent registered (22 does), so the thread registers tsx itself.
 * @param module `new URL('./worker.ts', import.meta.url)`.
 */
export function startWorkerThread(module: URL, workerData?: unknown): Worker {
  const loader = import.meta.resolve('tsx/esm/api');
  const story = `import(${JSON.stringify(loader)}).then((tsx) => { tsx.register(); return import(${JSON.stringify(module.href)}); });`;
  return new Worker(story, { eval: true, workerData });
}
