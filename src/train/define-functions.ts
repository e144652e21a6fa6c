import type { Program } from '../engine/graph/program.ts';
import type { StepDefinition } from './define-step.ts';
import type { Part } from './define-updates.ts';
import type { StepOptions } from './step.ts';

const PARTS: readonly Part[] = ['all', 'decoder'];

/**
 * Defines in a program what a step with these options needs of a definition: `update_<part>`, or `accumulate_<part>` and
 * `apply_<part>`; `follow` where averages are kept, `check` and `discard` where the loss is scaled; `refresh` and `predict`.
 * Returns the names of the weights that each part trains.
 */
export function defineFunctions(
  program: Program,
  definition: StepDefinition,
  {
    batchSize,
    validationBatchSize,
    resolution,
    rates: rateCount,
    rewrites,
    ...options
  }: StepOptions & { rates: number },
): Partial<Record<Part, string[]>> {
  const { functions } = definition;
  const images = (count: number) => ({ shape: [count, resolution, resolution, 1], dtype: 'uint8' as const });
  const scalar = { shape: [], dtype: 'float32' as const };
  const rates = { shape: [rateCount], dtype: 'float32' as const };
  const batchInputs = { images: images(batchSize), seed: { shape: [2], dtype: 'int32' as const } };
  const labelled = { ...batchInputs, masks: images(batchSize) };
  const trained: Partial<Record<Part, string[]>> = {};
  for (const part of options.freezes === true ? PARTS : PARTS.slice(0, 1)) {
    const { names, update, accumulate, apply } = definition.updates(part);
    trained[part] = names;
    if (options.accumulates || options.scalesLoss) {
      const inputs = options.scalesLoss ? { ...labelled, loss_scale: scalar } : labelled;
      program.define(`accumulate_${part}`, inputs, accumulate, rewrites.train, 'finite');
      program.define(`apply_${part}`, { rates, scale: scalar }, apply);
    } else {
      program.define(`update_${part}`, { ...labelled, rates }, update, rewrites.train, 'finite');
    }
  }
  if (options.averages === true) program.define('follow', { share: scalar }, functions.follow);
  if (options.scalesLoss) {
    program.define('check', {}, functions.check);
    program.define('discard', {}, functions.discard);
  }
  program.define('refresh', { ...batchInputs, momentum: scalar }, functions.refresh, rewrites.train);
  program.define('predict', { images: images(validationBatchSize) }, functions.predict, rewrites.predict);
  return trained;
}
