import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { execa } from 'execa';
import type { Journal } from '../tracking/journal.ts';

/** A sample so often. */
const EVERY_MS = 10_000;
const MEGABYTE = 1e6;

/** Measures the machine while a run goes on. */
export interface SystemWatch {
  /** Throws what the journal threw at it: a disk that refuses says so once, to whoever writes next. */
  stop(): void;
}

/**
 * Logs `system/*` every ten seconds under MLflow's own names, so that its page of system metrics shows them: processor and memory,
 * and of each GPU that `nvidia-smi` lists use, memory and power. The step counts ten seconds since the run began.
 * @param began milliseconds since 1970
 */
export function watchSystem(journal: Journal, began: number): SystemWatch {
  let before = processorTimes();
  let asking = false;
  let gpus = true;
  let stopped = false;
  let failure: unknown;
  const sample = async () => {
    const [now, step] = [processorTimes(), Math.round((Date.now() - began) / EVERY_MS)];
    const busy = 1 - (now.idle - before.idle) / Math.max(1, now.all - before.all);
    before = now;
    const used = totalmem() - freemem();
    const rows = gpus ? await readGpus() : [];
    // Without a GPU it is not asked for again.
    gpus = rows.length > 0;
    if (stopped) return;
    journal.metrics(
      {
        'system/cpu_utilization_percentage': 100 * busy,
        'system/system_memory_usage_megabytes': used / MEGABYTE,
        'system/system_memory_usage_percentage': (100 * used) / totalmem(),
        'system/process_memory_megabytes': process.memoryUsage.rss() / MEGABYTE,
        'system/process_cores': coresUsed(),
        ...Object.assign({}, ...rows),
      },
      step,
    );
  };
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    void sample()
      .catch((error: unknown) => {
        clearInterval(timer);
        failure = error;
      })
      .finally(() => {
        asking = false;
      });
  }, EVERY_MS).unref();
  return {
    stop: () => {
      stopped = true;
      clearInterval(timer);
      const error = failure;
      failure = undefined;
      if (error !== undefined) throw error;
    },
  };
}

let usage = { cpu: process.cpuUsage(), at: performance.now() };

/** Cores that this process kept busy since the last call, at most those that there are. */
function coresUsed(): number {
  const [cpu, at] = [process.cpuUsage(), performance.now()];
  const micros = cpu.user - usage.cpu.user + cpu.system - usage.cpu.system;
  const cores = micros / 1000 / Math.max(1, at - usage.at);
  usage = { cpu, at };
  return Math.min(cores, availableParallelism());
}

function processorTimes(): { idle: number; all: number } {
  const times = cpus().map((cpu) => cpu.times);
  const all = times.reduce((sum, { user, nice, sys, idle, irq }) => sum + user + nice + sys + idle + irq, 0);
  return { all, idle: times.reduce((sum, { idle }) => sum + idle, 0) };
}

async function readGpus(): Promise<Record<string, number>[]> {
  const query = [
    '--query-gpu=index,utilization.gpu,memory.used,memory.total,power.draw',
    '--format=csv,noheader,nounits',
  ];
  const { failed, stdout } = await execa('nvidia-smi', query, { reject: false });
  if (failed) return [];
  return stdout.split('\n').map((line) => {
    const [index, use, memory, total, power] = line.split(',').map(Number);
    const values = {
      utilization_percentage: use!,
      // nvidia-smi counts in mebibytes.
      memory_usage_megabytes: (memory! * 2 ** 20) / MEGABYTE,
      memory_usage_percentage: (100 * memory!) / total!,
      power_usage_watts: power!,
    };
    const finite = Object.entries(values).filter(([, value]) => Number.isFinite(value));
    return Object.fromEntries(finite.map(([name, value]) => [`system/gpu_${index}_${name}`, value]));
  });
}
