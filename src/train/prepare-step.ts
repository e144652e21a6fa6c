import type { Experiment } from '../config/experiment.ts';
import type { Terminal } from '../core/terminal.ts';
import { type Memory, readGpuMemory } from '../engine/memory.ts';
import { buildStep } from './build-step.ts';
import { fitInitialWeights, type InitialWeights } from './initial-weights.ts';
import { checkFits, estimateProcessBytes, explainOutOfMemory, type MemoryNeed } from './out-of-memory.ts';
import type { TrainStep } from './step.ts';

/**
 * The network on its device, with the weights that it starts from, and what its step needs of memory.
 * Throws UserError where that is more than there is or the weights do not fit, and OutOfMemoryError where not even the weights fit.
 * @param tell called with what is known of the need, before and after the network is built: TensorFlow may crash in between
 */
export async function prepareStep(
  experiment: Experiment,
  initial: InitialWeights | undefined,
  { device, host, tell }: { device: 'cpu' | 'gpu'; host: Memory; tell: (need: MemoryNeed) => void },
  terminal: Terminal,
): Promise<{ step: TrainStep; need: MemoryNeed; recordMs: number }> {
  const memory = device === 'gpu' ? await readGpuMemory() : host;
  const unknown: MemoryNeed = { device, estimated: undefined, memory };
  tell(unknown);
  try {
    const started = performance.now();
    const step = buildStep(experiment, device);
    const recordMs = performance.now() - started;
    const need = { device, estimated: estimateProcessBytes(step.estimateBytes, device), memory };
    tell(need);
    checkFits(experiment, need);
    if (initial !== undefined) begin(step, initial, terminal);
    terminal.say(`network ready in ${(recordMs / 1000).toFixed(1)} s (${experiment.execution})`);
    return { step, need, recordMs };
  } catch (error) {
    throw explainOutOfMemory(error, experiment, unknown);
  }
}

function begin(step: TrainStep, initial: InitialWeights, terminal: Terminal): void {
  const { weights, notes } = fitInitialWeights(initial, step.readWeights());
  step.writeWeights(weights);
  for (const note of notes) terminal.say(note);
}
