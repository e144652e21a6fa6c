import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { sha256, writeDirectoryAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { checkCompiler } from './compiler.ts';

const SOURCE = fileURLToPath(new URL('native', import.meta.url));
/** No -march: the loops are compiled for several sets of instructions and chosen when loaded, so a cache may be shared. */
const FLAGS = ['-std=c++17', '-O3', '-ffp-contract=fast', '-fPIC', '-shared', '-fvisibility=hidden', '-Wno-psabi'];

let loaded = false;

/**
 * The module of our own TensorFlow operations (native/*.cc), compiled against the library's C interface; kept beside the
 * library under a digest of the sources and flags. Throws UserError where there is no C++ compiler, and what the
 * compiler says first where it fails.
 */
export async function ensureNativeKernels(library: string, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const names = (await readdir(SOURCE)).filter((name) => /\.(cc|h)$/.test(name)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(SOURCE, name), 'utf8')));
  const digest = sha256(JSON.stringify([FLAGS, names, texts])).slice(0, 16);
  const folder = join(library, 'kernels', digest);
  const module = join(folder, 'kernels.node');
  if (existsSync(module)) return module;
  terminal.say('engine: compiling the kernels (about 5 s)');
  await checkCompiler();
  await writeDirectoryAtomic(folder, async (aside) => {
    signal?.throwIfAborted();
    const sources = names.filter((name) => name.endsWith('.cc')).map((name) => join(SOURCE, name));
    await compile(sources, join(library, 'tensorflow'), join(aside, 'kernels.node'));
  });
  return module;
}

/** Makes the operations known to the TensorFlow in this process, which must be loaded. They run on the processor only. */
export function loadNativeKernels(module: string): void {
  createRequire(import.meta.url)(module);
  loaded = true;
}

/** Whether our own operations can be used; else what they do is put together from TensorFlow's. */
export function nativeKernelsLoaded(): boolean {
  return loaded;
}

async function compile(sources: string[], tensorflow: string, output: string): Promise<void> {
  const require = createRequire(import.meta.url);
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const libraries = [`-L${tensorflow}`, '-l:libtensorflow_framework.so.2', `-Wl,-rpath,${tensorflow}`];
  const includes = [`-I${join(tensorflow, 'include')}`, `-I${headers}`];
  const { failed, stderr } = await execa('g++', [...FLAGS, ...includes, ...sources, ...libraries, '-o', output], {
    reject: false,
  });
  if (!failed) return;
  const said = String(stderr).split('\n').slice(0, 5).join('\n');
  throw new Error(`Expected g++ to compile the kernels in ${SOURCE} but it failed:\n${said}`);
}
