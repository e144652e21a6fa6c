import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256, writeDirectoryAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { compile } from './compiler.ts';

const require = createRequire(import.meta.url);
const tfjsFolder = () => dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
const NAPI_VERSION = 8;
const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-shared', '-Wl,-z,initfirst', `-DNAPI_VERSION=${NAPI_VERSION}`];

/**
 * Of CUDA's libraries those that TensorFlow 2.21 (cuSOLVER) and cuDNN (NVRTC) open by name and look for in other folders than
 * that of their wheel. Loaded with the binding, they are found; without cuSOLVER TensorFlow takes no GPU at all.
 */
const CUDA_BY_NAME = ['nvidia/cusolver/lib/libcusolver.so.11', 'nvidia/cuda_nvrtc/lib/libnvrtc.so.12'];

/**
 * The binding of @tensorflow/tfjs-node-gpu, compiled from the package's own C++ source against the library; kept beside
 * the library under a digest of the source and flags, so another version of the package is another build.
 * Throws UserError where there is no C++ compiler, and what the compiler says first where it fails.
 */
export async function ensureBinding(library: string, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const sources = [
    join(tfjsFolder(), 'binding', 'tfjs_backend.cc'),
    join(tfjsFolder(), 'binding', 'tfjs_binding.cc'),
    fileURLToPath(new URL('native/binding/log-level.cc', import.meta.url)),
  ];
  const texts = await Promise.all(sources.map((file) => readFile(file, 'utf8')));
  const digest = sha256(JSON.stringify([FLAGS, CUDA_BY_NAME, texts])).slice(0, 16);
  const folder = join(library, 'binding', digest);
  const binding = join(folder, 'tfjs_binding.node');
  if (existsSync(binding)) return binding;
  terminal.say('engine: compiling the binding (about 15 s)');
  await writeDirectoryAtomic(folder, async (aside) => {
    await compile(wordsFor(sources, library, join(aside, 'tfjs_binding.node')), 'the binding to TensorFlow', signal);
  });
  return binding;
}

/** Puts a link to the build where tfjs-node looks for it: `npm ci` wipes the place, another flavour needs another one. */
export async function linkBinding(binding: string): Promise<void> {
  const folder = join(tfjsFolder(), 'lib', `napi-v${NAPI_VERSION}`);
  const link = join(folder, 'tfjs_binding.node');
  if ((await readlink(link).catch(() => undefined)) === binding) return;
  await mkdir(folder, { recursive: true });
  const aside = `${link}.${process.pid}`;
  await rm(aside, { force: true });
  await symlink(binding, aside);
  await rename(aside, link);
}

function wordsFor(sources: readonly string[], library: string, output: string): string[] {
  const folder = join(library, 'tensorflow');
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  return [
    ...FLAGS,
    ...[`-I${join(folder, 'include')}`, `-I${headers}`],
    ...sources,
    ...[`-L${folder}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', `-Wl,-rpath,${folder}`],
    ...linkCuda(library),
    ...['-o', output],
  ];
}

/** What makes g++ load CUDA_BY_NAME with the binding, which calls nothing of them; nothing where the library has no CUDA. */
export function linkCuda(library: string): string[] {
  const files = CUDA_BY_NAME.map((file) => join(library, file)).filter((file) => existsSync(file));
  return files.flatMap((file) => [
    ...['-Wl,--no-as-needed', `-L${dirname(file)}`, `-l:${basename(file)}`, `-Wl,-rpath,${dirname(file)}`],
  ]);
}
