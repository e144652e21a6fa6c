import { answerParent } from '../../../core/answer-parent.ts';
import { openTerminal } from '../../../core/terminal.ts';
import { loadEngine } from '../../../engine/load.ts';
import { nativeKernelsLoaded } from '../../../engine/native-kernels.ts';
import { type Workload, writeSharedStart } from '../peers/shared-start.ts';

export interface StartQuestion {
  workloads: Workload[];
  /** One for each workload. */
  folders: string[];
  cacheDir: string;
}

export interface Starts {
  /** Files of weights and a batch, one for each workload. */
  tensors: string[];
  tensorflow: string;
  /** Whether the harness's own operations ran in this process, on the processor. */
  nativeKernels: boolean;
}

/** Writes what all begin from: in a process of its own, on the processor, so that the bench itself needs no TensorFlow. */
await answerParent<StartQuestion>(async ({ workloads, folders, cacheDir }, { signal }): Promise<Starts> => {
  const options = { device: 'cpu', deterministic: false, cacheDir, signal } as const;
  const engine = await loadEngine(options, openTerminal(process.stderr));
  const tensors: string[] = [];
  for (const [index, workload] of workloads.entries()) {
    tensors.push((await writeSharedStart(workload, folders[index]!)).tensors);
  }
  return { tensors, tensorflow: engine.tensorflow, nativeKernels: nativeKernelsLoaded() };
});
