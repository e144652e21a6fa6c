import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { readSettings } from '../../config/settings.ts';
import { writeFileAtomic } from '../../core/atomic-file.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { type Measured, measureAll } from './gpu/measure.ts';
import { findGpu, type Gpu, type NoGpu, showAlone } from './gpu/nvidia.ts';
import { type GpuPlan, readPlan } from './gpu/plan.ts';
import { reachedOf } from './gpu/reached.ts';
import { reportOf } from './gpu/report.ts';
import { watchGpu } from './gpu/watch.ts';
import { describeMachine } from './peers/machine.ts';

/** Long enough for what `nvidia-smi` says of a GPU's time to mean something. */
const FEED_SECONDS = 20;

/**
 * `npm run bench gpu [resolution=512x4,768x2,1024x1] [encoder=…] [steps=20]`: whether the GPU is really used and gives the
 * processor's losses, then time, memory and idle time of training steps, beside PyTorch where there is one. Writes
 * `reports/bench-gpu.md`. Where there is no GPU it says so and writes nothing.
 */
export async function benchGpu(
  { values, cwd, signal }: CommandArgs,
  terminal: Terminal,
  find: (visible: string | undefined) => Promise<Gpu | NoGpu> = findGpu,
): Promise<CommandResult> {
  const plan = readPlan(values);
  const gpu = await find(process.env.CUDA_VISIBLE_DEVICES);
  if ('missing' in gpu) {
    terminal.say(`Nothing was measured: there is ${gpu.missing} here.`);
    return { json: { gpu: null, why: `there is ${gpu.missing}` } };
  }
  const measured = await measureOn(gpu, plan, cwd, terminal, signal);
  const words = Object.entries(values).map(([key, value]) => `${key}=${value}`);
  const head = {
    command: ['npm run bench gpu', ...words].join(' '),
    date: new Date().toISOString().slice(0, 10),
    ...{ machine: await describeMachine(), gpu, plan },
  };
  const report = reportOf(head, measured);
  const path = resolve(cwd, 'reports/bench-gpu.md');
  await writeFileAtomic(path, report);
  terminal.say(report);
  terminal.say(`${relative(cwd, path)} has the same.`);
  return { json: { ...head, ...measured, reached: reachedOf(measured), report: path } };
}

async function measureOn(
  gpu: Gpu,
  plan: GpuPlan,
  cwd: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<Measured> {
  const { cacheDir } = await readSettings(cwd);
  const env = showAlone(gpu);
  // Children that are asked rather than called by words inherit what is set here.
  Object.assign(process.env, env);
  const folder = await mkdtemp(join(tmpdir(), 'bench-gpu-'));
  const watch = watchGpu(gpu.id);
  try {
    const kept = { folder, cacheDir, feedSeconds: FEED_SECONDS };
    return await measureAll({ device: 'gpu', plan, watch, env, ...kept, terminal, signal });
  } finally {
    await watch.stop();
    await rm(folder, { recursive: true, force: true });
  }
}
