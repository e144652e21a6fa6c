import { answerParent } from '../core/answer-parent.ts';
import { openTerminal } from '../core/terminal.ts';
import type { Batch } from '../data/batch.ts';
import { loadEngine } from '../engine/load.ts';
import {
  limitTensorFlow,
  type Memory,
  readGpuMemory,
  readHostMemory,
  readOwnGpuBytes,
  readPeakBytes,
} from '../engine/memory.ts';
import { buildStep } from './build-step.ts';
import type { DryRunQuestion, Measured } from './dry-run.ts';
import { checkFits, estimateProcessBytes, explainOutOfMemory } from './out-of-memory.ts';

/** Steps that are timed, after one in which TensorFlow makes its plans. */
const TIMED_STEPS = 2;

await answerParent<DryRunQuestion>(async ({ experiment, cacheDir }, { signal, tell }): Promise<Measured> => {
  const host = readHostMemory();
  limitTensorFlow(host);
  const { device, deterministic } = experiment;
  const engine = await loadEngine({ device, deterministic, cacheDir, signal }, openTerminal(process.stderr));
  const memory: Memory | undefined = engine.device === 'gpu' ? await readGpuMemory() : host;
  let estimated: number | undefined;
  try {
    const started = performance.now();
    const step = buildStep(experiment, engine.device);
    const recordMs = performance.now() - started;
    estimated = estimateProcessBytes(step.estimateBytes, engine.device);
    tell({ estimated });
    checkFits(experiment, { device: engine.device, estimated, memory });
    const batch = grayBatch(experiment.batch_size, experiment.resolution);
    const lr = experiment.lr_schedule.lr;
    const alone = experiment.accumulation_steps === 1;
    const train = () => {
      if (alone) return void step.update(batch, lr);
      step.accumulate(batch);
      step.apply(lr);
    };
    train();
    const stepMs = timed(TIMED_STEPS, train);
    const validated = grayBatch(experiment.validation_batch_size, experiment.resolution);
    step.evaluate(validated);
    const evaluateMs = timed(1, () => step.evaluate(validated));
    const weightBytes = [...step.readWeights().values()].reduce((bytes, { data }) => bytes + data.byteLength, 0);
    const gpuBytes = engine.device === 'gpu' ? await readOwnGpuBytes() : undefined;
    return {
      ...{ device: engine.device, parameters: step.parameters, estimated, recordMs, stepMs, evaluateMs, weightBytes },
      available: memory?.available,
      peak: gpuBytes ?? readPeakBytes(),
    };
  } catch (error) {
    throw explainOutOfMemory(error, experiment, { device: engine.device, estimated, memory });
  }
});

/** A batch of mid-grey with masks in one corner: what a step takes does not depend on its pictures. */
function grayBatch(count: number, resolution: number): Batch {
  const pixels = count * resolution ** 2;
  const masks = new Uint8Array(pixels).map((_, pixel) => (pixel % resolution < resolution / 4 ? 1 : 0));
  const ids = Array.from({ length: count }, (_, index) => `gray-${index}`);
  return { ids, count, resolution, images: new Uint8Array(pixels).fill(128), masks };
}

/** Milliseconds of one call, the mean of several. */
function timed(calls: number, work: () => void): number {
  const started = performance.now();
  for (let call = 0; call < calls; call++) work();
  return (performance.now() - started) / calls;
}
