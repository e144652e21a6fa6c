import { askChild } from '../../../core/child.ts';
import { messageOf, UserError } from '../../../core/errors.ts';
import { LOSS_TOLERANCE, type LossCheck, lossDifference } from './figures.ts';
import type { LossesAnswer, LossesQuestion } from './losses-child.ts';
import { nameReason } from './processes.ts';
import { type Setting, type StartOf, stepKeysOf } from './setting.ts';

/**
 * The first losses at the plan's first size on the processor and on the device, a process for each. Throws UserError
 * where the device cannot be used.
 */
export async function compareLosses(setting: Setting, startOf: StartOf): Promise<LossCheck> {
  const size = setting.plan.sizes[0]!;
  const tensors = startOf(size);
  // The device first: where it cannot be used, nothing else is worth waiting for.
  const gpu = await firstLosses(setting, { tensors, device: setting.device, strict: true });
  const trained = await firstLosses(setting, { tensors, device: setting.device, strict: false });
  const cpu = await firstLosses(setting, { tensors, device: 'cpu', strict: true });
  const why = gpu.why ?? cpu.why;
  const difference = lossDifference(cpu.losses, gpu.losses);
  const asTrained = lossDifference(cpu.losses, trained.losses);
  return {
    ...{ size, cpu: cpu.losses, gpu: gpu.losses },
    equal: difference !== undefined && difference <= LOSS_TOLERANCE,
    ...(difference === undefined ? {} : { difference }),
    ...(asTrained === undefined ? {} : { difference_as_trained: asTrained }),
    ...(why === undefined ? {} : { why }),
  };
}

interface Run {
  tensors: string;
  device: 'cpu' | 'gpu';
  strict: boolean;
}

async function firstLosses(
  setting: Setting,
  { tensors, device, strict }: Run,
): Promise<{ losses: number[]; why?: string }> {
  const { plan, terminal, signal } = setting;
  const row = { size: plan.sizes[0]!, precision: 'float32', recompute: false } as const;
  const keys = { ...stepKeysOf(setting, row), weights: tensors, device };
  const question: LossesQuestion = { keys, strict };
  try {
    const module = new URL('./losses-child.ts', import.meta.url);
    const answer = await askChild<LossesAnswer>(module, question, { signal, terminal });
    terminal.say(`losses on the ${device}${strict ? '' : ', as a run trains'}: ${answer.losses.join(', ')}`);
    if (answer.device === device) return { losses: answer.losses };
    return { losses: [], why: `it ran on the ${answer.device}` };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof UserError) throw error;
    terminal.say(`losses on the ${device}: ${messageOf(error)}`);
    return { losses: [], why: nameReason(messageOf(error)) };
  }
}
