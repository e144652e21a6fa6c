import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beat, tryLock } from '../core/lock.ts';

/** Does `work` unless another process uploads the run in this folder; undefined where one does. */
export async function whileLocked<T>(runDir: string, work: () => Promise<T>): Promise<T | undefined> {
  const lock = join(runDir, 'mlflow.lock');
  // On a shared folder the process may be another machine's: that it still lives is seen by its beats alone.
  if (!(await tryLock(lock, { beats: true }))) return undefined;
  const still = beat(lock);
  try {
    return await work();
  } finally {
    still();
    await rm(lock, { force: true });
  }
}
