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

/** The same steps by PyTorch, in its two memory layouts; one that fails, or is of another network, says so. */
export async function measureTorch(
  { python }: Torch,
  setting: Setting,
  ours: readonly StepRow[],
  startOf: StartOf,
): Promise<StepRow[]> {
  const rows: StepRow[] = [];
  const { plan, device, env, watch, signal, terminal } = setting;
  for (const size of plan.sizes) {
    for (const precision of PRECISIONS) {
      for (const by of ['pytorch', 'pytorch-channels-last'] as const) {
        const asked = { task: 'train', encoder: plan.model.encoder, tensors: startOf(size), steps: plan.steps };
        const how = {
          channels_last: by === 'pytorch-channels-last',
          device: device === 'gpu' ? 'cuda' : 'cpu',
          precision,
        };
        const ended = await runProcess(python, [SCRIPT, JSON.stringify({ ...asked, ...how })], { env, signal });
        const figures = ended.figures as StepFigures | undefined;
        const row = { by, size, precision, recompute: false, gpu: watch.use(ended.pid, ended.from, ended.to) };
        const why = ended.why ?? whyOther(ours, { ...row, ...(figures === undefined ? {} : { figures }) });
        rows.push({ ...row, ...(figures === undefined ? {} : { figures }), ...(why === undefined ? {} : { why }) });
        terminal.say(`${by}, ${rowTitle(row)}: ${why ?? `${imagesPerSecond(rows.at(-1)!)!.toFixed(1)} images/s`}`);
      }
    }
  }
  return rows;
}

/** Why a row is of another network than ours: its parameters or, in float32, its first loss. */
function whyOther(ours: readonly StepRow[], { size, precision, figures }: StepRow): string | undefined {
  const own = ours.find((row) => row.by === 'harness' && row.size === size && row.precision === precision)?.figures;
  if (own === undefined || figures === undefined) return undefined;
  // In 16 bits rounding alone makes another first loss.
  const first_loss = precision === 'float32' ? figures.first_loss : own.first_loss;
  return whyNotEqual(own, { ...figures, first_loss });
}
