import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { whyNotEqual } from '../peers/figures.ts';
import { imagesPerSecond, PRECISIONS, type StepFigures, type StepRow } from './figures.ts';
import { runProcess } from './processes.ts';
import { rowTitle, type Setting, type StartOf } from './setting.ts';

/** A Python that has PyTorch for CUDA and segmentation_models.pytorch. */
export interface Torch {
  python: string;
  torch: string;
  cuda: string;
}

/** Why there is none. */
export interface NoTorch {
  missing: string;
}

const LOOK = `
import json, torch, segmentation_models_pytorch
print(json.dumps({"torch": torch.__version__, "cuda": str(torch.version.cuda), "usable": torch.cuda.is_available()}))
`;
const SCRIPT = fileURLToPath(new URL('../peers/torch_step.py', import.meta.url));

/** The Python that PYTHON names, else `python3`, where it has all that is needed. Nothing is installed. */
export async function findTorch(
  { device, env }: Pick<Setting, 'device' | 'env'>,
  python = process.env.PYTHON || 'python3',
): Promise<Torch | NoTorch> {
  const { failed, stdout, stderr, shortMessage } = await execa(python, ['-c', LOOK], { env, reject: false });
  if (failed) {
    const said =
      String(stderr ?? '')
        .trim()
        .split('\n')
        .at(-1) || shortMessage;
    return { missing: `${python} does not load torch and segmentation_models_pytorch: ${said}` };
  }
  const { usable, torch, cuda } = JSON.parse(stdout.trim().split('\n').at(-1)!);
  if (usable === false && device === 'gpu') return { missing: `PyTorch ${torch} of ${python} finds no GPU` };
  return { python, torch, cuda };
}

const LAYOUTS = ['pytorch', 'pytorch-channels-last'] as const;
type TorchRow = Pick<StepRow, 'size' | 'precision'> & { by: (typeof LAYOUTS)[number] };

/** The same steps by PyTorch, in its two memory layouts; one that fails, or is of another network, says so. */
export async function measureTorch(
  torch: Torch,
  setting: Setting,
  ours: readonly StepRow[],
  startOf: StartOf,
): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  for (const size of setting.plan.sizes) {
    for (const precision of PRECISIONS) {
      for (const by of LAYOUTS) {
        const measured = await runTorch(torch, setting, { by, size, precision }, startOf(size));
        const why = measured.why ?? whyOther([...ours, ...rows], measured);
        rows.push({ ...measured, ...(why === undefined ? {} : { why }) });
        const rate = `${imagesPerSecond(measured)?.toFixed(1)} images/s`;
        setting.terminal.say(`${by}, ${rowTitle(measured)}: ${why ?? rate}`);
      }
    }
  }
  return rows;
}

async function runTorch({ python }: Torch, setting: Setting, row: TorchRow, tensors: string): Promise<StepRow> {
  const { plan, device, env, watch, signal } = setting;
  const asked = {
    ...{ task: 'train', encoder: plan.model.encoder, tensors, steps: plan.steps, precision: row.precision },
    ...{ channels_last: row.by === 'pytorch-channels-last', device: device === 'gpu' ? 'cuda' : 'cpu' },
  };
  const ended = await runProcess(python, [SCRIPT, JSON.stringify(asked)], { env, signal });
  return {
    ...{ ...row, recompute: false, gpu: watch.use(ended.pid, ended.from, ended.to) },
    ...(ended.figures === undefined ? {} : { figures: ended.figures as unknown as StepFigures }),
    ...(ended.why === undefined ? {} : { why: ended.why }),
  };
}

/**
 * Why a row is of another network than ours: its parameters or, in float32, its first loss. In 16 bits rounding alone
 * makes another first loss, so there the float32 row of the same layout speaks for both.
 * @param rows ours, and PyTorch's so far
 */
export function whyOther(rows: readonly StepRow[], { by, size, precision, figures }: StepRow): string | undefined {
  const find = (wanted: Partial<StepRow>) =>
    rows.find(
      (row) => row.size === size && !row.recompute && row.by === wanted.by && row.precision === wanted.precision,
    );
  const own = find({ by: 'harness', precision })?.figures;
  if (own === undefined || figures === undefined) return undefined;
  if (precision === 'float32') return whyNotEqual(own, figures);
  const exact = find({ by, precision: 'float32' });
  return whyNotEqual(own, { ...figures, first_loss: own.first_loss }) ?? (exact?.figures && exact.why);
}
