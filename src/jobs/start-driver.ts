import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startDetached } from '../core/detached.ts';
import { isLocked } from '../core/lock.ts';
import { runLock } from '../train/run-folder.ts';
import { PROJECT } from './executors.ts';
import { readTail } from './read-tail.ts';
import { sweepFiles } from './sweep-plan.ts';

const ASK_EVERY_MS = 100;

/** Whether somebody drives a sweep. */
export async function isDriven(sweepDir: string): Promise<boolean> {
  return await isLocked(runLock(sweepDir));
}

/**
 * Starts the process that drives a sweep, unless one does: it goes on after this one. Resolves when it drives.
 * Throws Error with the end of its log where it ends before.
 */
export async function startDriver(sweepDir: string): Promise<void> {
  if (await isDriven(sweepDir)) return;
  const { log: path } = sweepFiles(sweepDir);
  const module = fileURLToPath(new URL('./drive.ts', import.meta.url));
  const driver = await startDetached(process.execPath, ['--import', import.meta.resolve('tsx'), module, sweepDir], {
    cwd: PROJECT,
    log: { path, append: true },
  });
  while (driver.ended() === undefined && !(await isDriven(sweepDir))) await sleep(ASK_EVERY_MS);
  const { code = 0 } = driver.ended() ?? {};
  // Of two that begin at once one drives.
  if (code !== 0 && !(await isDriven(sweepDir)))
    throw new Error(`The sweep could not be driven. The end of ${path}:\n${await readTail(path, 4096)}`);
}
