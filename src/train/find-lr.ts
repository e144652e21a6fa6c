import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { Experiment } from '../config/experiment.ts';
import type { Settings } from '../config/settings.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { openLoader } from '../data/loader.ts';
import { samplerAt } from '../data/sampler.ts';
import { loadEngine } from '../engine/load.ts';
import { limitTensorFlow, readHostMemory } from '../engine/memory.ts';
import { findInitialWeights } from './initial-weights.ts';
import { lrPage } from './lr-page.ts';
import { addPoint, hasDiverged, type LrAdvice, type LrPoint, rangeRates, readRange } from './lr-range.ts';
import { openData } from './open-data.ts';
import { prepareStep } from './prepare-step.ts';
import type { TrainStep } from './step.ts';

/** Which rates are tried, in how many updates. */
export interface LrRange {
  from: number;
  to: number;
  updates: number;
}

export interface FoundLr extends LrAdvice {
  name: string;
  points: LrPoint[];
  /** The HTML page and the JSON file. */
  page: string;
  data: string;
}

/**
 * Trains an experiment's network for some updates at a learning rate that grows from each to the next, until the loss
 * explodes (Smith, 2017, https://arxiv.org/abs/1506.01186, section 3.3), and writes `reports/lr-<name>.html` and `.json`. No run is
 * made. Throws UserError as a run does before it begins.
 */
export async function findLr(
  experiment: Experiment,
  range: LrRange,
  context: { cwd: string; settings: Settings; signal: AbortSignal },
  terminal: Terminal,
): Promise<FoundLr> {
  const { cwd, settings, signal } = context;
  const { name, device, deterministic } = experiment;
  const initial = await findInitialWeights(experiment, { ...settings, cwd, earlier: new Map() });
  const { dataset, split } = await openData(experiment, { cwd, signal }, terminal);
  const host = device === 'gpu' ? readHostMemory() : limitTensorFlow(readHostMemory());
  const engine = await loadEngine({ device, deterministic, cacheDir: settings.cacheDir, signal }, terminal);
  const { step } = await prepareStep(experiment, initial, { device: engine.device, host, tell: () => {} }, terminal);
  const loader = openLoader(dataset, { workers: settings.loaderWorkers, signal });
  const batches = (epoch: number) => {
    const sampler = samplerAt(experiment.data.sampler, epoch, experiment.epochs);
    const { batch_size: batchSize, augment, seed } = experiment;
    return loader.trainingBatches(split.train, { batchSize, sampler, augment, seed, epoch });
  };
  const points = await measure(step, experiment, { range, batches, signal }, terminal).finally(async () => {
    await loader.close();
    dataset.close();
    step.dispose();
  });
  const advice = readRange(points);
  const stem = join(cwd, 'reports', `lr-${name}`);
  const found = { name, ...advice, points, page: `${stem}.html`, data: `${stem}.json` };
  await writeFileAtomic(found.page, await lrPage(experiment, range, found));
  await writeFileAtomic(found.data, `${JSON.stringify({ name, range, ...advice, points }, null, 2)}\n`);
  return found;
}

/** As many batches an update as the experiment gathers, from as many epochs as it takes. */
async function measure(
  step: TrainStep,
  { accumulation_steps: gathered }: Experiment,
  work: {
    range: LrRange;
    batches: (epoch: number) => AsyncIterable<Parameters<TrainStep['accumulate']>[0]>;
    signal: AbortSignal;
  },
  terminal: Terminal,
): Promise<LrPoint[]> {
  const rates = rangeRates(work.range);
  const bar = terminal.progress('learning rates, update', rates.length);
  let points: LrPoint[] = [];
  let losses: number[] = [];
  try {
    for (let epoch = 0; ; epoch++) {
      for await (const batch of work.batches(epoch)) {
        work.signal.throwIfAborted();
        const lr = rates[points.length]!;
        losses.push(gathered === 1 ? step.update(batch, lr) : step.accumulate(batch));
        await setImmediate();
        if (losses.length < gathered) continue;
        if (gathered > 1) step.apply(lr);
        points = addPoint(points, lr, losses.reduce((sum, loss) => sum + loss, 0) / gathered);
        losses = [];
        bar.advance();
        if (points.length === rates.length || hasDiverged(points)) return points;
      }
    }
  } finally {
    bar.stop();
  }
}
