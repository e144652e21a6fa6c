import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { askChild } from '../../../core/child.ts';
import { measureFeed } from './feeds.ts';
import { type FeedRow, type LossCheck, PRECISIONS, type StepRow } from './figures.ts';
import { compareLosses } from './losses.ts';
import type { Size } from './plan.ts';
import type { Setting } from './setting.ts';
import type { StartQuestion, Starts } from './start-child.ts';
import { listRows, measureStep } from './steps.ts';
import { findTorch, measureTorch, type NoTorch, type Torch } from './torch.ts';

export interface Measured {
  losses: LossCheck;
  steps: StepRow[];
  feeds: FeedRow[];
  torch: Torch | NoTorch;
  /** TensorFlow's version. */
  tensorflow: string;
  /** Whether the harness's own operations ran on the processor, and on the device (left out where nothing did). */
  native_kernels: { processor: boolean; device?: boolean };
}

/** Of the shared weights and the batch. */
const SEED = 42;

/**
 * Every measurement, each in a process of its own. One that fails, for want of memory or otherwise, is a row that says
 * so. Throws UserError where the device cannot be used at all.
 */
export async function measureAll(setting: Setting): Promise<Measured> {
  const { plan } = setting;
  const starts = await writeStarts(setting);
  const startOf = (size: Size) => starts.tensors[plan.sizes.indexOf(size)]!;
  const losses = await compareLosses(setting, startOf);
  const steps: StepRow[] = [];
  for (const row of listRows(plan)) steps.push(await measureStep(setting, row, startOf));
  const feeds: FeedRow[] = [];
  for (const size of plan.sizes) {
    for (const precision of PRECISIONS) feeds.push(await measureFeed(setting, size, precision));
  }
  const torch = await findTorch(setting);
  if ('python' in torch) steps.push(...(await measureTorch(torch, setting, steps, startOf)));
  const own = feeds.find(({ figures }) => figures !== undefined)?.figures?.native_kernels;
  return {
    ...{ losses, steps, feeds, torch, tensorflow: starts.tensorflow },
    native_kernels: { processor: starts.nativeKernels, ...(own === undefined ? {} : { device: own }) },
  };
}

/** What every size's processes begin from: the same weights, and one batch. */
async function writeStarts({ plan, folder, cacheDir, signal, terminal }: Setting): Promise<Starts> {
  const folders = plan.sizes.map((_, index) => join(folder, String(index)));
  for (const each of folders) await mkdir(each);
  const workloads = plan.sizes.map((size) => ({ model: plan.model, ...size, seed: SEED }));
  const question: StartQuestion = { workloads, folders, cacheDir };
  return await askChild<Starts>(new URL('./start-child.ts', import.meta.url), question, { signal, terminal });
}
