import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isLocked } from '../core/lock.ts';
import { runLock } from '../train/run-folder.ts';
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
  const log = openSync(path, 'a');
  const module = fileURLToPath(new URL('./drive.ts', import.meta.url));
  // Not through execa: the log must be a bare file and the process a group of its own to outlive this one.
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), module, sweepDir], {
    cwd: join(import.meta.dirname, '..', '..'),
    stdio: ['ignore', log, log],
    detached: true,
  });
  closeSync(log);
  let ended = false;
  for (const event of ['error', 'exit']) {
    child.once(event, () => {
      ended = true;
    });
  }
  child.unref();
  while (!ended && !(await isDriven(sweepDir))) await sleep(ASK_EVERY_MS);
  // Of two that begin at once one drives.
  if (ended && child.exitCode !== 0 && !(await isDriven(sweepDir)))
    throw new Error(`The sweep could not be driven. The end of ${path}:\n${await readTail(path, 4096)}`);
}
