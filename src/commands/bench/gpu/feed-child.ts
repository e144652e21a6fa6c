import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stepKeys } from '../../../config/step-experiment.ts';
import { answerParent } from '../../../core/answer-parent.ts';
import { openTerminal } from '../../../core/terminal.ts';
import type { Device } from '../../../engine/install.ts';
import { loadEngine } from '../../../engine/load.ts';
import { nativeKernelsLoaded } from '../../../engine/native-kernels.ts';
import { buildStep } from '../../../train/build-step.ts';
import { writeLoaderData } from '../loader-data.ts';
import { type Fed, feedStep } from './feed.ts';

export interface FeedQuestion {
  device: Device;
  /** Of the step, as `bench train-step` takes them. */
  keys: Record<string, string>;
  seconds: number;
  steps: number;
  cacheDir: string;
}

export interface FeedAnswer extends Fed {
  pid: number;
  device: 'cpu' | 'gpu';
  /** Whether the harness's own operations ran, as on a processor. */
  native_kernels: boolean;
}

/** Images that are gone through again and again. */
const IMAGES = 64;

await answerParent<FeedQuestion>(async (question, { signal }): Promise<FeedAnswer> => {
  const { device, keys, seconds, steps, cacheDir } = question;
  const experiment = await stepKeys(keys);
  const { resolution, batch_size: batchSize, deterministic } = experiment;
  const engine = await loadEngine({ device, deterministic, cacheDir, signal }, openTerminal(process.stderr));
  const folder = await mkdtemp(join(tmpdir(), 'bench-gpu-feed-'));
  const dataset = await writeLoaderData(folder, Math.max(IMAGES, batchSize), resolution);
  try {
    const step = buildStep(experiment, engine.device);
    const fed = await feedStep(step, dataset, { batchSize, seconds, steps, signal });
    step.dispose();
    return { ...fed, pid: process.pid, device: engine.device, native_kernels: nativeKernelsLoaded() };
  } finally {
    dataset.close();
    await rm(folder, { recursive: true, force: true });
  }
});
