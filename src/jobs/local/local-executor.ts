import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startDetached } from '../../core/detached.ts';
import { isProcess } from '../../tracking/process.ts';
import { logOf } from '../attempt.ts';
import { type Executor, type Job, jobCommand } from '../executor.ts';
import { readTail } from '../read-tail.ts';

/** A process of this machine, as text: `1234 0 <attempt's file>`. */
interface Place {
  pid: number;
  /** Which of the places (a GPU, a share of the machine) it has. */
  place: number;
  /** On its command line and on no other process's. */
  file: string;
}

/** The ends of one's own processes are heard of at once, those of processes that an earlier one began are asked for so often. */
const ASK_EVERY_MS = 1000;

/**
 * This machine: a process for each of the places, which go on when whoever began them is gone.
 * @param places what a process sees of the machine, by place
 */
export function localExecutor(
  places: readonly Readonly<Record<string, string>>[],
  { project }: { project: string },
): Executor {
  const taken = new Map<number, Place>();
  let changed = false;
  let wake = () => {};
  const freePlace = () => {
    for (const [index, holder] of taken) if (!isProcess(holder.pid, holder.file)) taken.delete(index);
    const free = places.findIndex((_, index) => !taken.has(index));
    if (free < 0) throw new Error(`Expected at most ${places.length} jobs at once but received one more.`);
    return free;
  };
  const begin = async (job: Job): Promise<string> => {
    const place = freePlace();
    const [, ...words] = jobCommand(job);
    const child = await startDetached(process.execPath, words, {
      cwd: project,
      env: { ...process.env, ...places[place] },
      log: { path: logOf(job.file), append: true },
    });
    void child.whenEnded.then(() => {
      changed = true;
      wake();
    });
    const holder = { pid: child.pid, place, file: job.file };
    taken.set(place, holder);
    return format(holder);
  };
  return {
    atOnce: places.length,
    check: async () => {},
    submit: async (jobs) => {
      const handles: string[] = [];
      for (const job of jobs) handles.push(await begin(job));
      return handles;
    },
    status: async (handles) => {
      const states = handles.map((handle) => {
        const holder = parse(handle);
        const runs = isProcess(holder.pid, holder.file);
        if (runs) taken.set(holder.place, holder);
        return [handle, runs ? 'running' : 'gone'] as const;
      });
      return new Map(states);
    },
    logs: async (_, job) => await readTail(logOf(job.file)),
    cancel: async (handles) => {
      for (const { pid, file } of handles.map(parse)) if (isProcess(pid, file)) process.kill(pid, 'SIGTERM');
    },
    list: async (sweep) => await listOwn(sweep, places.length),
    wait: async (signal) => {
      const woken = new Promise<void>((resolve) => {
        wake = resolve;
      });
      if (!changed) await Promise.race([woken, sleep(ASK_EVERY_MS, undefined, { signal }).catch(() => {})]);
      changed = false;
    },
  };
}

function format({ pid, place, file }: Place): string {
  return `${pid} ${place} ${file}`;
}

function parse(handle: string): Place {
  const [, pid, place, file] = /^(\d+) (\d+) (.*)$/s.exec(handle) ?? [];
  return { pid: Number(pid), place: Number(place), file: file! };
}

/** The processes of this machine that make an attempt of a sweep (proc(5)), by job id; of their places nothing is known but that they have one. */
async function listOwn(sweep: string, places: number): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const words = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).split('\0');
    const file = words[words.indexOf('src/run-unit.ts') + 1];
    if (!words.includes('src/run-unit.ts') || !file?.includes(`/${sweep}/attempts/`)) continue;
    found.set(`${sweep}.${basename(file, '.json')}`, format({ pid: Number(name), place: found.size % places, file }));
  }
  return found;
}
