import { existsSync } from 'node:fs';
import { link, mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { asideOf } from './atomic-file.ts';

/** Who holds a lock: written inside it, so that a dead holder on this machine is told from a living one. */
interface Holder {
  pid: number;
  host: string;
  /** When that process started, in clock ticks since boot: a reused process id has another (Linux; else ''). */
  born: string;
  /** Whether it touches the lock all the while (see `beat`): on another machine that is all that can be seen of it. */
  beats?: boolean;
}

/** What file systems without hard links answer (exFAT, some of FUSE's). */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Its holder writes a lock at once: one that cannot be read for so long was left by a process that died. */
const UNREADABLE_AFTER_MS = 10_000;
/** A holder that beats does so this often, and is gone from another machine's view when it has not for so long. */
const BEAT_EVERY_MS = 30_000;
const SILENT_AFTER_MS = 10 * 60_000;

/**
 * Runs `work` while holding the lock file, waiting for a living holder and taking over from a dead one.
 * @param onWait called once, when there is somebody to wait for: who that is, and where the lock lies.
 * @param signal ends the waiting: throws its AbortError.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait: (who: string) => void = () => {},
  signal?: AbortSignal,
) {
  let waited = false;
  while (!(await tryLock(path))) {
    if (!waited) onWait(describeHolder(path, await readHolder(path)));
    waited = true;
    await sleep(100, undefined, signal === undefined ? {} : { signal });
  }
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

/** `process 12 (remove <path> if it is gone)`: a holder on another machine cannot be seen to be dead from here. */
export async function describeLock(path: string): Promise<string> {
  return describeHolder(path, await readHolder(path));
}

/** Whether somebody living has the lock; nothing is written. */
export async function isLocked(path: string): Promise<boolean> {
  return existsSync(path) && !(await isStale(path));
}

function describeHolder(path: string, holder: Holder | undefined): string {
  if (holder === undefined) return `another process (remove ${path} if it is gone)`;
  const place = holder.host === hostname() ? '' : ` on ${holder.host}`;
  return `process ${holder.pid}${place} (remove ${path} if it is gone)`;
}

/** Touches a lock that was taken with `beats` every half a minute, until the function that it returns is called. */
export function beat(path: string): () => void {
  // A lock that is gone or a disk that refuses is for whoever looks next to find out.
  const touch = () => void utimes(path, new Date(), new Date()).catch(() => {});
  const timer = setInterval(touch, BEAT_EVERY_MS).unref();
  return () => clearInterval(timer);
}

/** Takes the lock if it is free or its holder is dead; false when somebody living has it. */
export async function tryLock(path: string, { beats = false } = {}): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true });
  for (let attempt = 0; attempt < 2; attempt++) {
    if (!existsSync(path) && (await writeHolder(path, beats))) return true;
    if (!(await isStale(path)) || !(await removeStale(path))) return false;
  }
  return false;
}

/**
 * Writes a lock that is nobody's; false where it is somebody's by now. It is written aside and gets its name as a whole, so that
 * whoever dies in between leaves no empty one.
 */
async function writeHolder(path: string, beats: boolean): Promise<boolean> {
  const own = { pid: process.pid, host: hostname(), born: await birthOf(process.pid) };
  const holder: Holder = beats ? { ...own, beats } : own;
  const text = JSON.stringify(holder);
  const aside = asideOf(path);
  try {
    await writeNew(aside, text);
    await link(aside, path).catch(async (error: NodeJS.ErrnoException) => {
      if (!NO_LINKS.has(error.code ?? '')) throw error;
      await writeNew(path, text);
    });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(aside, { force: true });
  }
}

/** Throws EEXIST where there is such a file. */
async function writeNew(path: string, text: string): Promise<void> {
  const handle = await open(path, 'wx');
  try {
    await handle.writeFile(text);
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/**
 * Removes a lock whose holder is dead, and nothing else. Only one process at a time may: the one that holds a second lock beside
 * it, which is as any other, so that one who dies in the middle of this is in nobody's way. Holding that, it looks again.
 */
async function removeStale(path: string): Promise<boolean> {
  const guard = `${path}.stale`;
  if (!(await tryLock(guard))) return false;
  try {
    if (await isStale(path)) await rm(path, { force: true });
    return true;
  } finally {
    await rm(guard, { force: true });
  }
}

/** Whether the process that a lock file names is gone. */
async function isStale(path: string): Promise<boolean> {
  const holder = await readHolder(path);
  if (holder === undefined) return (await ageOf(path)) > UNREADABLE_AFTER_MS;
  if (holder.host !== hostname()) return holder.beats === true && (await ageOf(path)) > SILENT_AFTER_MS;
  return !isAlive(holder.pid) || (holder.born !== '' && (await birthOf(holder.pid)) !== holder.born);
}

/** How long ago a file was written, in milliseconds; 0 where there is none. */
async function ageOf(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found === undefined ? 0 : Date.now() - found.mtimeMs;
}

async function readHolder(path: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/**
 * Field 22 of /proc/<pid>/stat, counted after the command's closing parenthesis (proc(5)); '' for a process that is dead but was
 * not collected (Z, X): in a container nobody may ever collect it, and it still answers signals.
 */
async function birthOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  const [state = '', ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return /[ZX]/.test(state) ? '' : (rest[18] ?? '');
}
