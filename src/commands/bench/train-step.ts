import type { Terminal } from '../../core/terminal.ts';
import { buildStep } from '../../train/build-step.ts';
import type { CommandArgs, CommandResult } from '../command.ts';
import { median, peakRssBytes, prepareStepBench, timeCalls } from './step-bench.ts';

const LR = 1e-3;

/**
 * `npm run bench train-step [model.encoder=…] [resolution=256] [batch_size=4] …`: the time of one training step on noise
 * and the memory of the process that runs it. With accumulation_steps > 1 a step is a micro-batch and its share of an
 * update is left out.
 */
export async function benchTrainStep(args: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  const { experiment, engine, batch, weights } = await prepareStepBench(args, terminal);
  const started = performance.now();
  const step = buildStep(experiment, engine.device);
  if (weights !== undefined) step.writeWeights(weights);
  const recordMs = performance.now() - started;
  const losses: number[] = [];
  const alone = experiment.accumulation_steps === 1;
  const first = performance.now();
  let firstMs = 0;
  const times = timeCalls(experiment.steps, () => {
    losses.push(alone ? step.update(batch, LR) : step.accumulate(batch));
    firstMs ||= performance.now() - first;
  });
  const json = {
    median_ms: median(times),
    min_ms: Math.min(...times),
    peak_rss_bytes: peakRssBytes(),
    estimated_bytes: step.estimateBytes,
    record_ms: recordMs,
    first_step_ms: firstMs,
    kernels: step.kernels,
    parameters: step.parameters,
    first_loss: losses[0]!,
    losses,
    execution: experiment.execution,
    device: engine.device,
  };
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;
  terminal.say(`step         ${json.median_ms.toFixed(0)} ms median, ${json.min_ms.toFixed(0)} ms at best`);
  terminal.say(`memory       ${gib(json.peak_rss_bytes)} at most, ${gib(json.estimated_bytes)} estimated`);
  terminal.say(
    `to the first ${((recordMs + firstMs) / 1000).toFixed(1)} s, of which recording ${(recordMs / 1000).toFixed(1)} s`,
  );
  terminal.say(`kernels      ${json.kernels} a step, ${json.parameters.toLocaleString('en')} parameters trained`);
  step.dispose();
  return { json };
}
