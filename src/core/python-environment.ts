import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { writeFileAtomic } from './atomic-file.ts';
import { UserError } from './errors.ts';
import { withLock } from './lock.ts';
import type { Terminal } from './terminal.ts';

/** A private virtual environment of Python packages. */
export interface PythonEnvironment {
  /** Where it lies; its name holds the versions, so that others get another folder. */
  folder: string;
  /** Begins the lines that it speaks on the terminal. */
  label: string;
  /** What is installed, for sentences: `MLflow 3.17.2`. */
  title: string;
  /** How long that takes and how much is brought, in words. */
  effort: string;
  /** Words for `pip install`: packages with their versions. */
  install: readonly string[];
  /** What else helps where it cannot be made, as the end of a sentence: `set MLFLOW_TRACKING_URI to a server`. */
  otherwise: string;
}

/** Written last: an environment without it is a half one. */
const STAMP = 'complete.json';

/** Prints Python's version, after importing what making a virtual environment needs. */
const PROBE = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';

/**
 * The Python of a private virtual environment, made on first use and used by all projects of this user. pip's own
 * settings hold: index, proxy, certificates. Several processes may ask at once.
 * Throws UserError where Python is missing or pip fails, with the command that helps.
 */
export async function ensurePythonEnvironment(
  environment: PythonEnvironment,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<string> {
  const { folder, label } = environment;
  const waiting = (who: string) => terminal.say(`${label}: being installed by ${who}; waiting`);
  const work = async () => {
    const python = join(folder, 'bin', 'python');
    if (!(await isWhole(folder, python))) await install(environment, python, terminal, signal);
    return python;
  };
  return await withLock(`${folder}.lock`, work, waiting, signal);
}

/** Whether it was made to the end, and the Python that it stands on is still there. */
async function isWhole(folder: string, python: string): Promise<boolean> {
  const path = join(folder, STAMP);
  if (!existsSync(path)) return false;
  const { python: version } = JSON.parse(readFileSync(path, 'utf8')) as { python: string };
  const { stdout } = await execa(python, ['-c', PROBE], { reject: false });
  return stdout === version;
}

/** In place and not aside, since an environment's scripts name the folder that they were made in. */
async function install(
  environment: PythonEnvironment,
  python: string,
  terminal: Terminal,
  signal?: AbortSignal,
): Promise<void> {
  const { folder, label, title, effort } = environment;
  const version = await checkPython(environment);
  const cancel = signal === undefined ? {} : { cancelSignal: signal };
  await rm(folder, { recursive: true, force: true });
  terminal.say(`${label}: installing ${title}, once (${effort})`);
  try {
    await execa('python3', ['-m', 'venv', folder], cancel);
    const options = ['--quiet', '--no-input', '--disable-pip-version-check'];
    // A user's `user = true` would send the packages elsewhere.
    const env = { PIP_USER: '0' };
    await execa(python, ['-m', 'pip', 'install', ...options, ...environment.install], { env, ...cancel });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw installError(environment, error);
  }
  await writeFileAtomic(join(folder, STAMP), `${JSON.stringify({ installed: title, python: version })}\n`);
}

async function checkPython({ title, otherwise }: PythonEnvironment): Promise<string> {
  const probe = await execa('python3', ['-c', PROBE], { reject: false });
  const [major = 0, minor = 0] = probe.stdout?.split('.').map(Number) ?? [];
  if (!probe.failed && (major > 3 || (major === 3 && minor >= 10))) return probe.stdout;
  const [found, packages] =
    probe.code === 'ENOENT'
      ? ['there is no python3', 'python3 python3-venv']
      : probe.failed
        ? ['python3 has no venv module', 'python3-venv']
        : [`python3 is ${probe.stdout}`, 'python3 python3-venv'];
  throw new UserError(
    `Expected Python 3.10 or newer with its venv module, for ${title}, but ${found}. ` +
      `Run \`sudo apt-get install ${packages}\` (or your system’s equivalent), or ${otherwise}.`,
  );
}

function installError({ title, otherwise }: PythonEnvironment, error: unknown): Error {
  const { isCanceled, stderr, shortMessage } = error as {
    isCanceled?: boolean;
    stderr?: string;
    shortMessage?: string;
  };
  if (isCanceled === true) return new Error(`The installation of ${title} was stopped.`, { cause: error });
  const reason = (stderr || shortMessage || String(error)).trim().split('\n').slice(-6).join('\n');
  return new UserError(
    `Expected pip to install ${title} but it failed:\n${reason}\n` +
      'Check the network, or set an index or proxy as pip does (PIP_INDEX_URL, HTTPS_PROXY, pip config), ' +
      `or ${otherwise}.`,
    { cause: error },
  );
}
