import { existsSync, readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { UserError } from '../core/errors.ts';
import { withLock } from '../core/lock.ts';
import type { Terminal } from '../core/terminal.ts';

/** The server that is installed; the client is tested against it. */
export const MLFLOW_VERSION = '3.17.2';

/** Written last: an environment without it is a half one. */
const STAMP = 'complete.json';

/** Prints Python's version, after importing what making a virtual environment needs. */
const PROBE = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';

/**
 * The Python of a private virtual environment with MLflow in it, made on first use (about a minute, 850 MB) and used
 * by all projects of this user. pip's own settings hold: index, proxy, certificates. Several processes may ask at once.
 * Throws UserError where Python is missing or pip fails, with the command that helps.
 */
export async function ensureMlflow(cacheDir: string, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const folder = join(cacheDir, `mlflow-${MLFLOW_VERSION}`);
  const waiting = (who: string) => terminal.say(`mlflow: being installed by ${who}; waiting`);
  const work = async () => {
    const python = join(folder, 'bin', 'python');
    if (!(await isWhole(folder, python))) await install(folder, python, terminal, signal);
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
async function install(folder: string, python: string, terminal: Terminal, signal?: AbortSignal): Promise<void> {
  const version = await checkPython();
  const cancel = signal === undefined ? {} : { cancelSignal: signal };
  await rm(folder, { recursive: true, force: true });
  terminal.say(`mlflow: installing MLflow ${MLFLOW_VERSION} for tracking, once (about a minute)`);
  try {
    await execa('python3', ['-m', 'venv', folder], cancel);
    const options = ['--quiet', '--no-input', '--disable-pip-version-check'];
    // A user's `user = true` would send the packages elsewhere.
    const env = { PIP_USER: '0' };
    await execa(python, ['-m', 'pip', 'install', ...options, `mlflow==${MLFLOW_VERSION}`], { env, ...cancel });
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw installError(error);
  }
  await writeFileAtomic(join(folder, STAMP), `${JSON.stringify({ mlflow: MLFLOW_VERSION, python: version })}\n`);
}

async function checkPython(): Promise<string> {
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
    `Expected Python 3.10 or newer with its venv module, for MLflow, but ${found}. ` +
      `Run \`sudo apt-get install ${packages}\` (or your system’s equivalent), or set MLFLOW_TRACKING_URI to a server.`,
  );
}

function installError(error: unknown): Error {
  const { isCanceled, stderr, shortMessage } = error as {
    isCanceled?: boolean;
    stderr?: string;
    shortMessage?: string;
  };
  if (isCanceled === true) return new Error('The installation of MLflow was stopped.', { cause: error });
  const reason = (stderr || shortMessage || String(error)).trim().split('\n').slice(-6).join('\n');
  return new UserError(
    `Expected pip to install MLflow ${MLFLOW_VERSION} but it failed:\n${reason}\n` +
      'Check the network, or set an index or proxy as pip does (PIP_INDEX_URL, HTTPS_PROXY, pip config), ' +
      'or set MLFLOW_TRACKING_URI to a server.',
    { cause: error },
  );
}
