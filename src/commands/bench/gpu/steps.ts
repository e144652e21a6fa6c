import { imagesPerSecond, PRECISIONS, type StepFigures, type StepRow } from './figures.ts';
import type { GpuPlan } from './plan.ts';
import { runBench } from './processes.ts';
import { rowTitle, type Setting, type StartOf, stepKeysOf } from './setting.ts';

type Row = Pick<StepRow, 'size' | 'precision' | 'recompute'>;

/** Every size in every precision, and the largest with recomputation as well. */
export function listRows({ sizes }: GpuPlan): Row[] {
  const largest = sizes.reduce((most, size) => (size.resolution > most.resolution ? size : most));
  return sizes.flatMap((size) =>
    (size === largest ? [false, true] : [false]).flatMap((recompute) =>
      PRECISIONS.map((precision) => ({ size, precision, recompute })),
    ),
  );
}

/** Time and memory of a step, in a process of its own; one that fails is a row that says why. */
export async function measureStep(setting: Setting, row: Row, startOf: StartOf): Promise<StepRow> {
  const { plan, device, env, watch, signal, terminal } = setting;
  const keys = { ...stepKeysOf(setting, row), weights: startOf(row.size), steps: plan.steps, device };
  const words = Object.entries(keys).map(([key, value]) => `${key}=${value}`);
  const ended = await runBench(['train-step', ...words], { env, signal });
  const figures = ended.figures as StepFigures | undefined;
  const elsewhere = figures !== undefined && figures.device !== device;
  const why = ended.why ?? (elsewhere ? `it ran on the ${figures.device}` : undefined);
  const measured: StepRow = {
    ...{ by: 'harness', ...row, gpu: watch.use(ended.pid, ended.from, ended.to) },
    ...(figures === undefined ? {} : { figures }),
    ...(why === undefined ? {} : { why }),
  };
  terminal.say(`${rowTitle(row)}: ${why ?? `${imagesPerSecond(measured)!.toFixed(1)} images/s`}`);
  return measured;
}
