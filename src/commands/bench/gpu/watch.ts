import { setTimeout } from 'node:timers/promises';
import { execa } from 'execa';
import { CSV, MEBIBYTE } from './nvidia.ts';

/** How often the GPU is looked at. */
const EVERY_MS = 200;
const WHOLE = '--query-gpu=utilization.gpu,memory.used';
const PROCESSES = '--query-compute-apps=pid,used_memory';
/** `utilization.gpu` tells of up to a second past. */
const LOOKS_BACK_MS = 1000;

/** Of a stretch of time. */
export interface GpuUse {
  /** The most memory that a process held, or (where process ids are hidden, as in many containers) that the GPU gained. */
  peak_bytes?: number;
  /** Whose memory that is. */
  of?: 'process' | 'device';
  /** Share of the time in which no kernel ran. */
  idle?: number;
  /** How often the GPU was looked at. */
  looks: number;
}

/** Looks at a GPU until it is stopped. */
export interface GpuWatch {
  /** Between two moments (milliseconds, Date.now), by the process of this id. */
  use(pid: number | undefined, from: number, to: number): GpuUse;
  stop(): Promise<void>;
}

/** No GPU: nothing is seen. */
export const blindWatch: GpuWatch = { use: () => ({ looks: 0 }), stop: async () => {} };

interface Look {
  at: number;
  /** As `nvidia-smi` gave them; NaN for what it does not tell. */
  fields: number[];
}

/** Looks at a GPU five times a second (or as often as the program manages), at all of it and at each process. */
export function watchGpu(id: string, program = 'nvidia-smi'): GpuWatch {
  const [whole, processes]: [Look[], Look[]] = [[], []];
  let stopped = false;
  const ask = async (query: string, looks: Look[]) => {
    const { failed, stdout } = await execa(program, [query, CSV, `--id=${id}`], { reject: false });
    if (failed || stdout.trim() === '') return;
    for (const line of stdout.trim().split('\n')) looks.push({ at: Date.now(), fields: line.split(',').map(Number) });
  };
  const watching = (async () => {
    // One process for each look: what a program that goes on writes may lie in its buffer for a minute.
    while (!stopped) {
      const next = setTimeout(EVERY_MS);
      await Promise.all([ask(WHOLE, whole), ask(PROCESSES, processes)]);
      await next;
    }
  })();
  return {
    use: (pid, from, to) => useOf({ whole, processes }, pid, { from, to }),
    stop: async () => {
      stopped = true;
      await watching;
    },
  };
}

/** The use of a GPU from what was seen. @param looks utilization in percent and MiB used; process id and MiB held */
export function useOf(
  { whole, processes }: { whole: readonly Look[]; processes: readonly Look[] },
  pid: number | undefined,
  { from, to }: { from: number; to: number },
): GpuUse {
  const during = (looks: readonly Look[], since = from) => looks.filter(({ at }) => at >= since && at <= to);
  const own = during(processes).filter(({ fields }) => fields[0] === pid);
  const [held, used] = [fieldOf(own, 1), fieldOf(during(whole), 1)];
  const busy = fieldOf(during(whole, from + LOOKS_BACK_MS), 0);
  const idle = 1 - busy.reduce((sum, percent) => sum + percent, 0) / busy.length / 100;
  return { ...peakOf(held, used), ...(busy.length === 0 ? {} : { idle }), looks: during(whole).length };
}

function peakOf(held: readonly number[], used: readonly number[]): Pick<GpuUse, 'peak_bytes' | 'of'> {
  if (held.length > 0) return { peak_bytes: Math.max(...held) * MEBIBYTE, of: 'process' };
  if (used.length === 0) return {};
  // A process takes seconds to reach the GPU: the least is what others hold.
  return { peak_bytes: (Math.max(...used) - Math.min(...used)) * MEBIBYTE, of: 'device' };
}

/** What `nvidia-smi` told of one field. */
function fieldOf(looks: readonly Look[], index: number): number[] {
  return looks.flatMap(({ fields }) => (Number.isFinite(fields[index]) ? [fields[index]!] : []));
}
