import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { WHEEL_PYTHON } from './versions.ts';

const MEGABYTE = 1e6;

/**
 * Downloads published wheels with the user's own pip, so that its index, proxy and certificate settings hold, and
 * returns their paths. A requirement may carry `--hash=sha256:…`, which pip then insists on.
 * @param into a folder that holds nothing else
 * @param options.bytes what will come in all, for the progress bar; left out where unknown
 */
export async function downloadWheels(
  requirements: string[],
  into: string,
  { bytes, signal }: { bytes?: number | undefined; signal?: AbortSignal | undefined },
  terminal: Terminal,
): Promise<string[]> {
  await checkPip();
  await mkdir(into, { recursive: true });
  const list = join(into, 'requirements.txt');
  await writeFile(list, requirements.join('\n'));
  const names = requirements.map((requirement) => requirement.split(' ')[0]!);
  terminal.say(`engine: downloading ${names.join(', ')}`);
  const watch = watchSize(into, bytes, terminal);
  try {
    const options = ['--no-deps', '--only-binary=:all:', '--no-cache-dir', '--python-version', WHEEL_PYTHON];
    // pip writes into TMPDIR first: kept beside the target, halves go when the folder goes.
    const env = { TMPDIR: into, PIP_DISABLE_PIP_VERSION_CHECK: '1' };
    const words = ['-m', 'pip', 'download', '-q', ...options, '--dest', into, '--requirement', list];
    await execa('python3', words, { env, ...(signal === undefined ? {} : { cancelSignal: signal }) });
  } catch (error) {
    signal?.throwIfAborted();
    const reason = String((error as { stderr?: string }).stderr ?? error).trim();
    throw new UserError(
      `Expected pip to download ${names.join(', ')} but it failed:\n${reason.split('\n').slice(-6).join('\n')}\n` +
        'Check the network, or set an index or proxy as pip does (PIP_INDEX_URL, HTTPS_PROXY, pip config).',
      { cause: error },
    );
  } finally {
    watch.stop();
  }
  const wheels = (await readdir(into)).filter((name) => name.endsWith('.whl'));
  return wheels.map((name) => join(into, name));
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
function watchSize(folder: string, bytes: number | undefined, terminal: Terminal) {
  const bar = terminal.progress('engine: download, MB', Math.ceil((bytes ?? 0) / MEGABYTE));
  let seen = 0;
  const look = async () => {
    // pip copies what it downloaded, so for a moment there is twice as much: never show more than there is to come.
    const megabytes = Math.floor(Math.min(await sizeOf(folder).catch(() => 0), bytes ?? Infinity) / MEGABYTE);
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
