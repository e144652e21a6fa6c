import { answerParent } from '../../../core/answer-parent.ts';
import { openTerminal } from '../../../core/terminal.ts';
import { buildStep } from '../../../train/build-step.ts';
import { prepareStepBench } from '../step-bench.ts';
import { COMPARED_RATE, COMPARED_STEPS } from './figures.ts';

export interface LossesQuestion {
  /** Of the step, as `bench train-step` takes them. */
  keys: Record<string, string>;
  /** Whether products of float32 must be in full float32. */
  strict: boolean;
}

export interface LossesAnswer {
  losses: number[];
  device: 'cpu' | 'gpu';
}

await answerParent<LossesQuestion>(async ({ keys, strict }, { signal }): Promise<LossesAnswer> => {
  // NVIDIA's libraries multiply float32 in 19 bits (TF32) where the GPU can, unless this tells them not to.
  if (strict) process.env.NVIDIA_TF32_OVERRIDE = '0';
  const args = { words: [], values: keys, cwd: process.cwd(), signal };
  const { experiment, engine, batch, weights } = await prepareStepBench(args, openTerminal(process.stderr));
  const step = buildStep(experiment, engine.device);
  if (weights !== undefined) step.writeWeights(weights);
  const losses = Array.from({ length: COMPARED_STEPS }, () => step.update(batch, COMPARED_RATE));
  step.dispose();
  return { losses, device: engine.device };
});
