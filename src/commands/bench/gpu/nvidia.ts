import { execa } from 'execa';
import { messageOf } from '../../../core/errors.ts';
import { chooseFlavour } from '../../../engine/install.ts';

/** The GPU that is measured, as `nvidia-smi` describes it. */
export interface Gpu {
  /** What `nvidia-smi --id` and CUDA_VISIBLE_DEVICES call it: its number by PCI bus, or its UUID. */
  id: string;
  name: string;
  driver: string;
  memory_bytes: number;
}

/** Where there is none: in what way, to follow `there is `. */
export interface NoGpu {
  missing: string;
}

/** `nvidia-smi` in this order of fields; a program of the same words may stand in for it. */
const NVIDIA_SMI = 'nvidia-smi';
const DESCRIPTION = 'name,driver_version,memory.total';
export const CSV = '--format=csv,noheader,nounits';
export const MEBIBYTE = 2 ** 20;

/**
 * The first GPU of those that CUDA_VISIBLE_DEVICES shows (all, where it is not set).
 * @param driver whether NVIDIA's driver is there; found out when left out
 */
export async function findGpu(
  visible: string | undefined,
  program = NVIDIA_SMI,
  driver = chooseFlavour('auto') === 'cuda',
): Promise<Gpu | NoGpu> {
  if (!driver) return { missing: 'no NVIDIA driver' };
  const [id = ''] = (visible ?? '0').split(',').map((word) => word.trim());
  if (id === '' || id === '-1') return { missing: `no GPU that CUDA_VISIBLE_DEVICES=${visible} shows` };
  try {
    const { stdout } = await execa(program, [`--query-gpu=${DESCRIPTION}`, CSV, `--id=${id}`]);
    const [name, driver, mebibytes] = stdout
      .trim()
      .split(',')
      .map((field) => field.trim());
    if (name && driver) return { id, name, driver, memory_bytes: Number(mebibytes) * MEBIBYTE };
    return { missing: `no GPU ${id} that nvidia-smi lists` };
  } catch (error) {
    const [first] = messageOf((error as { shortMessage?: string }).shortMessage ?? error).split('\n');
    return { missing: `no nvidia-smi that answers (${first})` };
  }
}

/** What processes see of the machine's GPUs: this one alone, under the number that nvidia-smi gives it. */
export function showAlone({ id }: Gpu): Record<string, string> {
  return { CUDA_DEVICE_ORDER: 'PCI_BUS_ID', CUDA_VISIBLE_DEVICES: id };
}
