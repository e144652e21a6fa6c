import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** How long a process may take to end by itself before it is killed. */
const PATIENCE_MS = 10_000;

/**
 * Whether a process id is that of the process with this text on its command line (proc(5)): the ids of dead processes
 * are given to others, and a file that remembers one may be from before the last boot.
 */
export function isProcess(pid: number, mark: string): boolean {
  return pid > 0 && readProc(pid, 'cmdline').includes(mark);
}

/**
 * Ends the process group that the process with this mark leads, and waits until it is gone.
 * False where there is no such process.
 */
export async function endProcess(pid: number, mark: string): Promise<boolean> {
  if (!isProcess(pid, mark)) return false;
  signalGroup(pid, 'SIGTERM');
  for (const started = Date.now(); isGroupAlive(pid); await sleep(50)) {
    if (Date.now() - started > PATIENCE_MS) signalGroup(pid, 'SIGKILL');
  }
  return true;
}

/** A process that is dead but was not collected by its parent (Z) still answers signals: the state tells. */
function isGroupAlive(group: number): boolean {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .some((name) => {
      const stat = readProc(Number(name), 'stat');
      const [state, , member] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(member) === group && state !== 'Z' && state !== 'X';
    });
}

function signalGroup(group: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-group, signal);
  } catch (error) {
    // Gone in the meantime: just what was wanted.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function readProc(pid: number, file: 'cmdline' | 'stat'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
