import { expected, UserError } from '../core/errors.ts';
import type { Flavour } from './versions.ts';

/**
 * The GPU that a process computes on, `0` or `GPU-<uuid>`: the first that CUDA_VISIBLE_DEVICES names, or the machine's first;
 * `-1` or nothing where it shows none.
 */
export function chooseGpu(environment: NodeJS.ProcessEnv = process.env): string {
  return (environment.CUDA_VISIBLE_DEVICES ?? '0').split(',')[0]!.trim();
}

/**
 * Sets what TensorFlow and CUDA read when they are loaded; what the user has set stays, but of the GPUs that it shows only
 * the first. Throws UserError where `deterministic` and TF_NUM_INTRAOP_THREADS contradict one another.
 */
export function setEnvironment(
  { flavour, deterministic }: { flavour: Flavour; deterministic: boolean },
  environment: NodeJS.ProcessEnv = process.env,
): void {
  const wanted: Record<string, string> = {
    // Errors alone: warnings are pages where memory runs out, and of that the harness says a sentence.
    TF_CPP_MIN_LOG_LEVEL: '2',
    ...(deterministic ? { TF_NUM_INTRAOP_THREADS: '1', TF_DETERMINISTIC_OPS: '1', TF_CUDNN_DETERMINISTIC: '1' } : {}),
    // CUDA's own order is by speed: `nvidia-smi`, and a user who reads it, count by PCI bus.
    ...(flavour === 'cpu' ? {} : { TF_FORCE_GPU_ALLOW_GROWTH: 'true', CUDA_DEVICE_ORDER: 'PCI_BUS_ID' }),
  };
  for (const [name, value] of Object.entries(wanted)) environment[name] ??= value;
  // TensorFlow takes memory of every GPU that it sees, and the binding computes on the last: show it one.
  if (flavour === 'cuda') environment.CUDA_VISIBLE_DEVICES = chooseGpu(environment);
  if (!deterministic || environment.TF_NUM_INTRAOP_THREADS === '1') return;
  const next = 'Unset it, or leave deterministic away.';
  throw new UserError(expected('1', 'TF_NUM_INTRAOP_THREADS', environment.TF_NUM_INTRAOP_THREADS, next));
}
