import type { Machine } from '../peers/machine.ts';
import { gigabytes, table } from './cells.ts';
import { COMPARED_RATE, COMPARED_STEPS } from './figures.ts';
import type { Measured } from './measure.ts';
import type { Gpu } from './nvidia.ts';
import { type GpuPlan, titleOf } from './plan.ts';
import { reachedOf } from './reached.ts';
import { feedTable, ratioLines, stepTable } from './tables.ts';

export interface ReportHead {
  /** As typed. */
  command: string;
  /** YYYY-MM-DD. */
  date: string;
  machine: Machine;
  gpu: Gpu;
  plan: GpuPlan;
}

/** The whole report in Markdown. */
export function reportOf(head: ReportHead, measured: Measured): string {
  const { plan, gpu, command } = head;
  return `# ${plan.model.encoder} U-Net on a GPU: ${gpu.name}

\`${command}\`

Training steps (forward, backward, Adam, moving averages; binary cross-entropy + Dice) on noise, each row in a process of its
own: the median of ${plan.steps} timed steps after two that are not, and the most memory of the GPU that \`nvidia-smi\`, asked five
times a second, saw the process hold. TensorFlow and PyTorch keep what they once took, so that this is more than what a step needs.

## What was reached

${table(
  ['', 'measured', 'reached'],
  reachedOf(measured).map(({ goal, measured: found, met }) => [goal, found, inWords(met)]),
)}

## Losses

${lossText(measured)}

## Steps

${stepTable(measured.steps)}

${torchText(measured)}

## Fed by the loader

The loader's threads read and augment meanwhile, as in a run. Idle is the share of the time in which no kernel ran
(\`utilization.gpu\`), waiting that in which the step's batch was not there yet.

${feedTable(measured.feeds)}

## Measured on

${machineLines(head, measured)}
`;
}

function lossText({ losses }: Measured): string {
  const rows = (['cpu', 'gpu'] as const).map((device) => [
    device === 'cpu' ? 'processor' : 'GPU',
    ...losses[device].slice(0, COMPARED_STEPS).map((loss) => loss.toFixed(6)),
  ]);
  const trained = losses.difference_as_trained;
  const lines = [
    `${titleOf(losses.size)}, float32, from the same weights and batch, learning rate ${COMPARED_RATE}; on the GPU with products in full float32 (\`NVIDIA_TF32_OVERRIDE=0\`).`,
    ...(losses.why === undefined ? [] : [`They were not compared: ${losses.why}.`]),
    ...(trained === undefined
      ? []
      : [`As a run trains, with TF32 where the GPU has it, the largest difference is ${trained.toExponential(1)}.`]),
  ];
  return `${lines.join('\n')}\n\n${table(['', ...Array.from({ length: COMPARED_STEPS }, (_, step) => `step ${step + 1}`)], rows)}`;
}

/** Beside PyTorch, or why not. */
function torchText({ torch, steps }: Measured): string {
  if (!('python' in torch)) return `PyTorch was not measured: ${torch.missing}. PYTHON may name another interpreter.`;
  const ratios = ratioLines(steps);
  return ratios === '' ? 'No row of PyTorch counts beside one of the harness.' : `The harness takes\n\n${ratios}`;
}

function machineLines(
  { date, machine, gpu }: ReportHead,
  { torch, tensorflow, native_kernels: own }: Measured,
): string {
  const used = (is?: boolean) => (is === undefined ? 'not known' : is ? 'used' : 'not used');
  const python = 'python' in torch ? `, torch ${torch.torch} (CUDA ${torch.cuda})` : '';
  return [
    `- ${date}: ${gpu.name}, ${gigabytes(gpu.memory_bytes)} GB, driver ${gpu.driver}`,
    `- ${machine.processor}, ${machine.cores} cores, ${machine.memory_gb} GB; ${machine.system}`,
    `- node ${process.versions.node}, TensorFlow ${tensorflow}${python}`,
    `- the harness's own operations, which run on a processor only: ${used(own.processor)} there, ${used(own.device)} on the GPU`,
  ].join('\n');
}

function inWords(met: boolean | undefined): string {
  return met === undefined ? 'not known' : met ? 'yes' : 'no';
}
