import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256, sha256File, writeDirectoryAtomic } from '../core/atomic-file.ts';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { checkCompiler } from './compiler.ts';
import { downloadWheel, MORE_ROOM } from './download.ts';
import { type Flavour, UNPACKED_BYTES, WHEELS } from './versions.ts';
import { extractWheel } from './wheel.ts';

/** The files of the wheels that the engine needs: the library in two parts, the headers that the binding includes, CUDA's own. */
const LIBRARIES = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'];
const HEADERS = ['tensorflow/c/', 'tensorflow/core/platform/', 'tsl/platform/', 'xla/tsl/c/'];
const CUDA = /^nvidia\/[^/]+\/(lib|bin|nvvm)\//;

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
  const path = join(folder, nameFolder(flavour));
  const fault = existsSync(path) ? await findFault(path, verify) : 'absent';
  if (fault === undefined) return path;
  if (fault !== 'absent') {
    terminal.warn(`engine: ${fault}; fetching TensorFlow again`);
    await removeWhole(path);
  }
  await removeLeftovers(folder);
  await checkRoom(folder, flavour);
  // Without it the library is of no use: better said before hundreds of megabytes than after.
  await checkCompiler();
  try {
    await writeDirectoryAtomic(path, async (aside) => await fillLibrary(aside, flavour, signal, terminal));
  } catch (error) {
    if (!['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    const full = `Expected room for TensorFlow's library in ${folder} but the disk is full now. ${MORE_ROOM}`;
    throw new UserError(full, { cause: error });
  }
  return path;
}

/** The version says it of TensorFlow's wheel; CUDA's have versions of their own, so a digest of them. */
function nameFolder(flavour: Flavour): string {
  const [tensorflow, ...runtime] = WHEELS[flavour];
  const digest = runtime.length === 0 ? '' : `-${sha256(JSON.stringify(runtime)).slice(0, 8)}`;
  return `${tensorflow.package}-${tensorflow.version}${digest}-linux-x64`;
}

/** One wheel after the other, each gone before the next comes: together they would take more than half as much again. */
async function fillLibrary(
  aside: string,
  flavour: Flavour,
  signal: AbortSignal | undefined,
  terminal: Terminal,
): Promise<void> {
  const stamp: Stamp = {};
  const wheels = WHEELS[flavour];
  for (const [i, wheel] of wheels.entries()) {
    const into = join(aside, 'wheel');
    const place = wheels.length === 1 ? '' : `, ${i + 1} of ${wheels.length}`;
    const path = await downloadWheel(wheel, into, { place, signal }, terminal);
    terminal.say('engine: unpacking and verifying');
    Object.assign(stamp, await extractWheel(path, aside, isNeeded, signal));
    await rm(into, { recursive: true });
  }
  await writeFile(join(aside, STAMP), JSON.stringify(stamp));
}

function isNeeded(file: string): boolean {
  if (LIBRARIES.includes(file) || CUDA.test(file)) return true;
  return HEADERS.some((prefix) => file.startsWith(`tensorflow/include/${prefix}`));
}

/**
 * Throws UserError where the disk has less room than a flavour wants: its files, and twice the largest wheel, since pip copies.
 * @param free bytes, found out when left out
 */
export async function checkRoom(folder: string, flavour: Flavour, free?: number): Promise<void> {
  const wanted = UNPACKED_BYTES[flavour] + 2 * Math.max(...WHEELS[flavour].map(({ bytes }) => bytes));
  const { bavail, bsize } = await statfs(folder);
  const room = free ?? bavail * bsize;
  if (room >= wanted) return;
  const gigabytes = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  throw new UserError(
    `Expected ${gigabytes(wanted)} of room for TensorFlow's library in ${folder} but there are ${gigabytes(room)}. ` +
      MORE_ROOM,
  );
}

/** What is wrong with an installed library, or undefined: a file missing, of another size or (verify) another checksum. */
async function findFault(path: string, verify: boolean): Promise<string | undefined> {
  const stamp = await readStamp(path);
  if (stamp === undefined) return `${path} is incomplete`;
  for (const [file, wanted] of Object.entries(stamp)) {
    const found = await stat(join(path, file)).catch(() => undefined);
    if (found?.size !== wanted.bytes) return `${file} in ${path} has ${found?.size ?? 'no'} bytes, not ${wanted.bytes}`;
    if (verify && (await sha256File(join(path, file))) !== wanted.sha256) return `${file} in ${path} is damaged`;
  }
  return undefined;
}

/** Undefined where there is none that can be read. */
async function readStamp(path: string): Promise<Stamp | undefined> {
  try {
    return JSON.parse(await readFile(join(path, STAMP), 'utf8')) as Stamp;
  } catch {
    return undefined;
  }
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
