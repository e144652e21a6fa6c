import { readFileSync } from 'node:fs';
import { freemem, totalmem } from 'node:os';
import { dirname, join } from 'node:path/posix';
import { execa } from 'execa';
import { chooseGpu } from './environment.ts';

/** What a device has, in bytes. */
export interface Memory {
  /** At most, for one process. */
  total: number;
  /** Not in use at the moment. */
  available: number;
}

type Read = (path: string) => string | undefined;

const KIBIBYTE = 2 ** 10;
const MEBIBYTE = 2 ** 20;

/**
 * What this process may use of the machine's memory: the smaller of what the kernel calls available (proc(5), MemAvailable)
 * and what the control groups above the process still allow (version 1 and 2), files that can be dropped not counted as used.
 */
export function readHostMemory(read: Read = readIfThere): Memory {
  const meminfo = read('/proc/meminfo') ?? '';
  const entry = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(meminfo)?.[1]) * KIBIBYTE;
  const machine = { total: entry('MemTotal') || totalmem(), available: entry('MemAvailable') || freemem() };
  return listGroups(read('/proc/self/cgroup') ?? '')
    .map((group) => readGroup(group, read))
    .filter((limits) => limits !== undefined)
    .reduce(
      (least, { total, available }) => ({
        total: Math.min(least.total, total),
        available: Math.min(least.available, available),
      }),
      machine,
    );
}

/**
 * Of the GPU that this process shows TensorFlow; undefined where `nvidia-smi` does not tell: it counts by PCI bus, so where the
 * user has CUDA count otherwise a number is another GPU for it, unless there is only one.
 */
export async function readGpuMemory(environment: NodeJS.ProcessEnv = process.env): Promise<Memory | undefined> {
  const gpu = chooseGpu(environment);
  const known = (environment.CUDA_DEVICE_ORDER ?? 'PCI_BUS_ID') === 'PCI_BUS_ID' || !/^\d+$/.test(gpu);
  const rows = await askNvidia(['--query-gpu=memory.total,memory.free', ...(known ? [`--id=${gpu}`] : [])]);
  if (rows.length !== 1) return undefined;
  const [total, available] = rows[0]!;
  return total! > 0 ? { total: total! * MEBIBYTE, available: available! * MEBIBYTE } : undefined;
}

/** The GPUs that this process shows TensorFlow, as CUDA_VISIBLE_DEVICES names them; none where `nvidia-smi` lists none. */
export async function listGpus(environment: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const shown = environment.CUDA_VISIBLE_DEVICES;
  const found = (await askNvidia(['--query-gpu=index'])).map(([index]) => String(index));
  if (shown === undefined) return found;
  const named = shown.split(',').map((id) => id.trim());
  return found.length === 0 ? [] : named.filter((id) => id !== '' && id !== '-1');
}

/** Bytes of GPU memory that this process holds; undefined where `nvidia-smi` does not tell (as in many containers). */
export async function readOwnGpuBytes(): Promise<number | undefined> {
  const lines = await askNvidia(['--query-compute-apps=pid,used_memory']);
  const [, mebibytes] = lines.find(([pid]) => pid === process.pid) ?? [];
  return mebibytes! > 0 ? mebibytes! * MEBIBYTE : undefined;
}

/** The most memory that this process has held so far, in bytes (proc(5), VmHWM); 0 where the kernel does not tell. */
export function readPeakBytes(read: Read = readIfThere): number {
  const [, kibibytes] = /^VmHWM:\s+(\d+) kB$/m.exec(read('/proc/self/status') ?? '') ?? [];
  return Number(kibibytes ?? 0) * KIBIBYTE;
}

/** What the process needs beside the tensors in TensorFlow's pool: Node, the library, the graph, small tensors. */
const BESIDE_POOL_BYTES = 1.25 * 2 ** 30;

/**
 * Limits TensorFlow's pool of tensors on the processor to what is left of the available memory, so that what does not fit
 * is an error of the step rather than the kernel's end of the process. Before TensorFlow is loaded; what the user set stays.
 * Returns the memory that the process has by that.
 */
export function limitTensorFlow(memory: Memory, environment: NodeJS.ProcessEnv = process.env): Memory {
  const { total, available } = memory;
  const beside = Math.min(BESIDE_POOL_BYTES, available / 3);
  environment.TF_MKL_ALLOC_MAX_BYTES ??= String(Math.floor(available - beside));
  const pool = Number(environment.TF_MKL_ALLOC_MAX_BYTES);
  return { total, available: pool > 0 ? Math.min(available, pool + beside) : available };
}

/** A control group's folder, and the names that its version has for limit, use and droppable files. */
interface Group {
  folder: string;
  limit: string;
  use: string;
  droppable: RegExp;
}

/** The groups of a process, itself first, then those above; lines are `number:controllers:path` (cgroups(7)). */
function listGroups(lines: string): Group[] {
  return lines.split('\n').flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    if (path === undefined || controllers === undefined) return [];
    if (controllers === '') {
      const names = { limit: 'memory.max', use: 'memory.current', droppable: /^inactive_file (\d+)$/m };
      return upwards('/sys/fs/cgroup', path).map((folder) => ({ folder, ...names }));
    }
    if (!controllers.split(',').includes('memory')) return [];
    const names = {
      limit: 'memory.limit_in_bytes',
      use: 'memory.usage_in_bytes',
      droppable: /^total_inactive_file (\d+)$/m,
    };
    return upwards('/sys/fs/cgroup/memory', path).map((folder) => ({ folder, ...names }));
  });
}

function upwards(root: string, path: string): string[] {
  const above = path === '/' ? [] : upwards(root, dirname(path));
  return [join(root, path), ...above];
}

/** Undefined where the group sets no limit, or is not to be seen from here (a container's is then its root). */
function readGroup({ folder, limit, use, droppable }: Group, read: Read): Memory | undefined {
  const total = Number(read(join(folder, limit)) ?? Number.NaN);
  const used = Number(read(join(folder, use)) ?? Number.NaN);
  if (!Number.isFinite(total) || !Number.isFinite(used)) return undefined;
  const [, dropped = '0'] = droppable.exec(read(join(folder, 'memory.stat')) ?? '') ?? [];
  return { total, available: Math.max(0, total - used + Number(dropped)) };
}

/** Rows of numbers; none where there is no `nvidia-smi` or it fails. */
async function askNvidia(query: readonly string[]): Promise<number[][]> {
  const { failed, stdout } = await execa('nvidia-smi', [...query, '--format=csv,noheader,nounits'], { reject: false });
  if (failed) return [];
  const rows = String(stdout).split('\n');
  return rows.map((row) => row.split(',').map(Number));
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
