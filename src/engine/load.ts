import { createRequire } from 'node:module';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { setEnvironment } from './environment.ts';
import { type Device, type Engine, withEngine } from './install.ts';
import { registerDepthwiseFilterGradient } from './kernels/depthwise-filter.ts';
import { loadNativeKernels } from './native-kernels.ts';
import { tf } from './tf.ts';

export interface LoadOptions {
  device: Device;
  cacheDir: string;
  /** Bit-equal repeats: one thread within an operation on a processor, deterministic kernels on a GPU. */
  deterministic: boolean;
  /** Ends waiting and downloading. */
  signal?: AbortSignal;
}

export interface LoadedEngine extends Engine {
  /** What is really computing: TensorFlow falls back to the processor in silence, so this is asked of it. */
  device: 'cpu' | 'gpu';
  tensorflow: string;
}

/** What to look at. */
const NO_GPU = 'See what `nvidia-smi` lists; TF_CPP_MIN_LOG_LEVEL=0 shows what TensorFlow says.';

let loaded: { engine: LoadedEngine; options: LoadOptions } | undefined;

/**
 * Installs TensorFlow where need be, loads it into this process and proves it with one gradient step.
 * A process has one TensorFlow: a second call gives the same one. Throws UserError where device=gpu finds no usable GPU,
 * and where a second call asks for another device or another determinism than the first.
 */
export async function loadEngine(options: LoadOptions, terminal: Terminal): Promise<LoadedEngine> {
  if (loaded !== undefined) return checkSame(loaded, options);
  const engine = await withEngine(options, terminal, async (installed) => {
    setEnvironment({ ...installed, deterministic: options.deterministic });
    restoreUtil();
    createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu');
    return describe(installed, options.device);
  });
  if (engine.flavour === 'cuda' && engine.device === 'cpu') {
    terminal.warn(
      `There is an NVIDIA driver but no GPU that TensorFlow can use: computing on the processor. ${NO_GPU}`,
    );
  }
  loaded = { engine, options };
  return engine;
}

function checkSame({ engine, options }: NonNullable<typeof loaded>, wanted: LoadOptions): LoadedEngine {
  for (const key of ['device', 'deterministic'] as const) {
    if (options[key] === wanted[key]) continue;
    const next = 'TensorFlow is set up once for a process: run the two in commands of their own.';
    throw new UserError(expected(`${key}=${options[key]} as before`, key, wanted[key], next));
  }
  return engine;
}

function describe(engine: Engine, wanted: Device): LoadedEngine {
  const backend = tf.backend() as unknown as { isUsingGpuDevice: boolean; binding: { TF_Version: string } };
  const device = backend.isUsingGpuDevice ? 'gpu' : 'cpu';
  if (engine.flavour === 'cuda' && device === 'cpu' && wanted === 'gpu') {
    const none = `none, with CUDA_VISIBLE_DEVICES=${process.env.CUDA_VISIBLE_DEVICES}`;
    throw new UserError(expected('a GPU that TensorFlow can use', 'device=gpu', none, NO_GPU));
  }
  if (device === 'cpu') {
    loadNativeKernels(engine.kernels);
    registerDepthwiseFilterGradient();
  }
  proveGradient();
  return { ...engine, device, tensorflow: backend.binding.TF_Version };
}

/** tfjs-node 4.22 calls two functions that Node removed in version 23. */
function restoreUtil(): void {
  const target = createRequire(import.meta.url)('node:util') as Record<string, unknown>;
  target.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  target.isArray ??= Array.isArray;
}

/** One gradient through a convolution: d/dw of Σ(x·w)² at x = 2, w = 3 is 2·(2·3)·2 = 24. */
function proveGradient(): void {
  const gradient = tf.tidy(() => {
    const x = tf.fill([1, 1, 1, 1], 2) as ReturnType<typeof tf.tensor4d>;
    const square = (w: ReturnType<typeof tf.tensor>) =>
      tf
        .conv2d(x, w as ReturnType<typeof tf.tensor4d>, 1, 'same')
        .square()
        .sum();
    return tf
      .grad(square)(tf.fill([1, 1, 1, 1], 3))
      .dataSync()[0];
  });
  if (gradient !== 24) throw new Error(expected('24', 'the gradient that proves TensorFlow', gradient));
}
