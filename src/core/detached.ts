import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { messageOf } from './errors.ts';

/** A process that goes on when this one is gone. */
export interface Detached {
  pid: number;
  /** How it ended, as far as this process lived to see it: undefined while it runs. */
  ended(): { code: number | null } | undefined;
  /** Resolves when it ends, while this process lives; holds no process open. */
  whenEnded: Promise<void>;
}

interface DetachedOptions {
  cwd: string;
  /** Variables instead of this process's own; its own when left out. */
  env?: NodeJS.ProcessEnv;
  /** The file that takes what it prints, and whether behind what is there. */
  log: { path: string; append: boolean };
}

/**
 * Starts a process as the leader of a group of its own, without a terminal. Throws Error where it cannot be started.
 * Not through execa: its log must be a bare file, or it would die of printing when this process is gone.
 */
export async function startDetached(
  program: string,
  words: readonly string[],
  { cwd, env = process.env, log }: DetachedOptions,
): Promise<Detached> {
  const file = openSync(log.path, log.append ? 'a' : 'w');
  const child = spawn(program, words, { cwd, env, stdio: ['ignore', file, file], detached: true });
  closeSync(file);
  if (child.pid === undefined) {
    const [cause] = await once(child, 'error');
    throw new Error(`A process could not be started: ${messageOf(cause)}`, { cause });
  }
  let end: { code: number | null } | undefined;
  const whenEnded = new Promise<void>((resolve) => {
    child.once('exit', (code) => {
      end = { code };
      resolve();
    });
  });
  child.unref();
  return { pid: child.pid, ended: () => end, whenEnded };
}
