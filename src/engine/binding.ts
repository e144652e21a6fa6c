import { existsSync } from 'node:fs';
import { mkdir, readFile, readlink, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { sha256, writeDirectoryAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { checkCompiler } from './compiler.ts';

const require = createRequire(import.meta.url);
const tfjsFolder = () => dirname(require.resolve('@tensorflow/tfjs-node-gpu/package.json'));
const SOURCES = ['tfjs_backend.cc', 'tfjs_binding.cc'];
const NAPI_VERSION = 8;

/**
 * The binding of @tensorflow/tfjs-node-gpu, compiled from the package's own C++ source against the library; kept beside
 * the library under a digest of the source, so another version of the package is another build.
 * Throws UserError where there is no C++ compiler.
 */
export async function ensureBinding(library: string, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const source = join(tfjsFolder(), 'binding');
  const texts = await Promise.all(SOURCES.map((file) => readFile(join(source, file), 'utf8')));
  const folder = join(library, 'binding', sha256(texts.join('')).slice(0, 16));
  const binding = join(folder, 'tfjs_binding.node');
  if (existsSync(binding)) return binding;
  terminal.say('engine: compiling the binding (about 15 s)');
  await checkCompiler();
  await writeDirectoryAtomic(folder, async (aside) => {
    signal?.throwIfAborted();
    await compile(source, library, join(aside, 'tfjs_binding.node'));
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

async function compile(source: string, library: string, output: string): Promise<void> {
  const folder = join(library, 'tensorflow');
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  await execa('g++', [
    ...['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NAPI_VERSION}`],
    ...[`-I${join(folder, 'include')}`, `-I${headers}`],
    ...SOURCES.map((file) => join(source, file)),
    ...[`-L${folder}`, '-l:libtensorflow_cc.so.2', '-l:libtensorflow_framework.so.2', `-Wl,-rpath,${folder}`],
    ...['-o', output],
  ]);
}
