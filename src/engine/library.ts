import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256File, writeDirectoryAtomic } from '../core/atomic-file.ts';
import type { Terminal } from '../core/terminal.ts';
import { downloadWheels } from './download.ts';
import { type Flavour, TENSORFLOW_VERSION, WHEELS } from './versions.ts';
import { extractWheel, readWheelText } from './wheel.ts';

/** The files of the wheel that the engine needs: the library in two parts, and the headers that the binding includes. */
const LIBRARIES = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'];
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'];

/** Written last: its presence says that the folder is whole, its content what every file must be. */
const STAMP = 'complete.json';
type Stamp = Record<string, { sha256: string; bytes: number }>;

/**
 * The folder of TensorFlow's C library for a flavour, downloaded and unpacked when it is not there and whole.
 * CUDA's runtime libraries go beside it, where the library looks for them (`../nvidia/<part>/lib`).
 */
export async function ensureLibrary(
  folder: string,
  flavour: Flavour,
  { verify = false, signal }: { verify?: boolean; signal?: AbortSignal },
  terminal: Terminal,
): Promise<string> {
  const path = join(folder, `${WHEELS[flavour].package}-${TENSORFLOW_VERSION}-linux-x64`);
  const fault = existsSync(path) ? await findFault(path, verify) : 'absent';
  if (fault === undefined) return path;
  if (fault !== 'absent') {
    terminal.warn(`engine: ${fault}; fetching TensorFlow again`);
    await removeWhole(path);
  }
  await removeLeftovers(folder);
  await writeDirectoryAtomic(path, async (aside) => {
    const wheels = join(aside, 'wheels');
    await fillLibrary(aside, wheels, { flavour, signal }, terminal);
    await rm(wheels, { recursive: true });
  });
  return path;
}

async function fillLibrary(
  aside: string,
  wheels: string,
  { flavour, signal }: { flavour: Flavour; signal: AbortSignal | undefined },
  terminal: Terminal,
): Promise<void> {
  const { package: name, sha256, bytes } = WHEELS[flavour];
  const requirement = `${name}==${TENSORFLOW_VERSION} --hash=sha256:${sha256}`;
  const [tensorflow] = await downloadWheels([requirement], join(wheels, 'tensorflow'), { bytes, signal }, terminal);
  terminal.say('engine: unpacking and verifying');
  const stamp: Stamp = await extractWheel(tensorflow!, aside, isNeeded);
  if (flavour === 'cuda') {
    const runtime = readCudaRequirements(await readWheelText(tensorflow!, '/METADATA'));
    for (const wheel of await downloadWheels(runtime, join(wheels, 'cuda'), { signal }, terminal)) {
      Object.assign(stamp, await extractWheel(wheel, aside, (file) => /^nvidia\/[^/]+\/(lib|bin|nvvm)\//.test(file)));
    }
  }
  await writeFile(join(aside, STAMP), JSON.stringify(stamp));
}

/** `nvidia-cudnn-cu12<10.0,>=9.3.0.75` and its like: what the wheel's extra `and-cuda` asks for. */
export function readCudaRequirements(metadata: string): string[] {
  return [...metadata.matchAll(/^Requires-Dist: (nvidia-[^;\n]+?)\s*;\s*extra == ["']and-cuda["']/gm)].map(
    (match) => match[1]!,
  );
}

function isNeeded(file: string): boolean {
  return LIBRARIES.includes(file) || HEADERS.some((prefix) => file.startsWith(`tensorflow/include/${prefix}`));
}

/** What is wrong with an installed library, or undefined: a file missing, of another size or (verify) another checksum. */
async function findFault(path: string, verify: boolean): Promise<string | undefined> {
  const text = await readFile(join(path, STAMP), 'utf8').catch(() => undefined);
  if (text === undefined) return `${path} is incomplete`;
  for (const [file, wanted] of Object.entries(JSON.parse(text) as Stamp)) {
    const found = await stat(join(path, file)).catch(() => undefined);
    if (found?.size !== wanted.bytes) return `${file} in ${path} has ${found?.size ?? 'no'} bytes, not ${wanted.bytes}`;
    if (verify && (await sha256File(join(path, file))) !== wanted.sha256) return `${file} in ${path} is damaged`;
  }
  return undefined;
}

/** Takes a folder out of its place in one step before removing it, so that a kill half-way leaves no half in place. */
async function removeWhole(path: string): Promise<void> {
  const aside = `${path}.${process.pid}.tmp`;
  await rename(path, aside);
  await rm(aside, { recursive: true, force: true });
}

/** Halves that a killed installation left; nobody else is at work, since the caller holds the lock. */
async function removeLeftovers(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(folder)) {
    if (name.endsWith('.tmp')) await rm(join(folder, name), { recursive: true, force: true });
  }
}
