import { answerParent } from '../core/answer-parent.ts';
import { openTerminal } from '../core/terminal.ts';
import type { Batch } from '../data/batch.ts';
import { loadEngine } from '../engine/load.ts';
import { limitTensorFlow, readHostMemory, readOwnGpuBytes, readPeakBytes } from '../engine/memory.ts';
import { measureCheckpoint } from './disk-space.ts';
import type { DryRunQuestion, Measured } from './dry-run.ts';
import { explainOutOfMemory, type MemoryNeed } from './out-of-memory.ts';
import { prepareStep } from './prepare-step.ts';

/** Steps that are timed, after one in which TensorFlow makes its plans. */
const TIMED_STEPS = 2;

await answerParent<DryRunQuestion>(async ({ experiment, initial, cacheDir }, { signal, tell }): Promise<Measured> => {
  const terminal = openTerminal(process.stderr);
  const machine = readHostMemory();
  const { device, deterministic } = experiment;
  const host = device === 'gpu' ? machine : limitTensorFlow(machine);
  const engine = await loadEngine({ device, deterministic, cacheDir, signal }, terminal);
  const setting = { device: engine.device, host, tell: (need: MemoryNeed) => tell({ need }) };
  const { step, need, recordMs } = await prepareStep(experiment, initial, setting, terminal);
  const { estimated, memory } = need;
  try {
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
    const checkpoint = measureCheckpoint(step);
    const gpuBytes = engine.device === 'gpu' ? await readOwnGpuBytes() : undefined;
    return {
      ...{ device: engine.device, parameters: step.parameters, estimated, recordMs, stepMs, evaluateMs, checkpoint },
      available: memory?.available,
      peak: gpuBytes ?? readPeakBytes(),
    };
  } catch (error) {
    throw explainOutOfMemory(error, experiment, need);
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
