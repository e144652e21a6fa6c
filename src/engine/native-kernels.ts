import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256, writeDirectoryAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { compile } from './compiler.ts';

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
  await writeDirectoryAtomic(folder, async (aside) => {
    const sources = names.filter((name) => name.endsWith('.cc')).map((name) => join(SOURCE, name));
    const words = wordsFor(sources, join(library, 'tensorflow'), join(aside, 'kernels.node'));
    await compile(words, `the kernels in ${SOURCE}`, signal);
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

function wordsFor(sources: string[], tensorflow: string, output: string): string[] {
  const require = createRequire(import.meta.url);
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const libraries = [`-L${tensorflow}`, '-l:libtensorflow_framework.so.2', `-Wl,-rpath,${tensorflow}`];
  const includes = [`-I${join(tensorflow, 'include')}`, `-I${headers}`];
  return [...FLAGS, ...includes, ...sources, ...libraries, '-o', output];
}
