import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { tryLock } from '../core/lock.ts';

/** Does `work` unless another process uploads the run in this folder; undefined where one does. */
export async function whileLocked<T>(runDir: string, work: () => Promise<T>): Promise<T | undefined> {
  const lock = join(runDir, 'mlflow.lock');
  if (!(await tryLock(lock))) return undefined;
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}
