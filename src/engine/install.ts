import { constants, existsSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { withLock } from '../core/lock.ts';
import type { Terminal } from '../core/terminal.ts';
import { ensureBinding, linkBinding } from './binding.ts';
import { ensureLibrary } from './library.ts';
import { ensureNativeKernels } from './native-kernels.ts';
import type { Flavour } from './versions.ts';

/** What a run asks for; `auto` is the GPU where there is an NVIDIA driver, else the processor. */
export type Device = 'auto' | 'cpu' | 'gpu';

export interface Engine {
  flavour: Flavour;
  /** The folder that TensorFlow's library lies in. */
  library: string;
  /** The compiled binding. */
  binding: string;
  /** The compiled module of our own operations, for the processor. */
  kernels: string;
}

export interface InstallOptions {
  device: Device;
  /** Where builds are kept between projects and across `npm ci`. */
  cacheDir: string;
  /** Ends waiting and downloading. */
  signal?: AbortSignal;
  /** Compare every file with its checksum again, not only its size. */
  verify?: boolean;
}

/**
 * Makes sure that TensorFlow can be loaded: its C library out of the published wheel, the unmodified binding of
 * @tensorflow/tfjs-node-gpu and our own operations compiled against it, and a link where tfjs looks for the binding. What is
 * already there and whole is used as it is. `use` runs while the link is certain to be this flavour's, so the binding is loaded in it.
 * Throws UserError where this machine lacks something, with the command that brings it, and where nothing can be written.
 */
export async function withEngine<T>(
  options: InstallOptions,
  terminal: Terminal,
  use: (engine: Engine) => Promise<T>,
): Promise<T> {
  checkPlatform();
  const flavour = chooseFlavour(options.device);
  const folder = join(options.cacheDir, 'engine');
  await checkFolder(folder);
  const waiting = (who: string) => terminal.say(`engine: being installed or loaded by ${who}; waiting`);
  return await withLock(
    join(folder, 'lock'),
    async () => {
      const library = await ensureLibrary(folder, flavour, options, terminal);
      const [binding, kernels] = await Promise.all([
        ensureBinding(library, terminal, options.signal),
        ensureNativeKernels(library, terminal, options.signal),
      ]);
      await linkBinding(binding);
      return await use({ flavour, library, binding, kernels });
    },
    waiting,
    options.signal,
  );
}

/** The CUDA build only where an NVIDIA driver is found: without one it would quietly run on the processor. */
export function chooseFlavour(device: Device, driver = hasNvidiaDriver()): Flavour {
  if (device === 'gpu' && !driver) {
    const next = 'Install the driver (`nvidia-smi` shows whether it works), or say device=cpu.';
    throw new UserError(expected('an NVIDIA driver', 'device=gpu', 'a machine without one', next));
  }
  return driver && device !== 'cpu' ? 'cuda' : 'cpu';
}

/** Of the driver that Windows lends to WSL2; the last is its place in a container there. */
const WSL_DRIVER = ['/usr/lib/wsl/lib/libcuda.so.1', '/usr/lib/wsl/lib/nvidia-smi', '/usr/bin/nvidia-smi'];

/** Whether the kernel has NVIDIA's driver loaded, or WSL2 passes it through: `/dev/dxg` is there for GPUs of any maker. */
export function hasNvidiaDriver(exists: (path: string) => boolean = existsSync): boolean {
  if (['/proc/driver/nvidia/version', '/dev/nvidiactl'].some(exists)) return true;
  return exists('/dev/dxg') && WSL_DRIVER.some(exists);
}

async function checkFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
  } catch (error) {
    const next = `${messageOf(error)}. Mend that, or set PNEUMOTHORAX_CACHE to a folder of yours.`;
    throw new UserError(expected('a folder that can be written', "TensorFlow's library", folder, next), {
      cause: error,
    });
  }
}

function checkPlatform(platform = process.platform, arch = process.arch): void {
  if (platform === 'linux' && arch === 'x64') return;
  const next = 'On Windows use WSL2; elsewhere a Linux x86-64 machine or container.';
  throw new UserError(expected('Linux on x86-64', "TensorFlow's library", `${platform} on ${arch}`, next));
}
