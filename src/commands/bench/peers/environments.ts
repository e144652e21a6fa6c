import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256 } from '../../../core/atomic-file.ts';
import { ensurePythonEnvironment } from '../../../core/python-environment.ts';
import type { Terminal } from '../../../core/terminal.ts';

/** What is said while an environment is made; its packages are in `<name>-requirements.txt` beside this file. */
const EFFORTS = { keras: 'about a minute, 1.6 GB', pytorch: 'two minutes, 4.2 GB' } as const;
export type PythonPeer = keyof typeof EFFORTS;

/**
 * The Python of a peer's own environment, every package pinned, made on first use under the cache folder.
 * Throws UserError where Python is missing or pip fails.
 */
export async function ensurePeerPython(
  peer: PythonPeer,
  cacheDir: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<string> {
  const requirements = fileURLToPath(new URL(`./${peer}-requirements.txt`, import.meta.url));
  const digest = sha256(await readFile(requirements)).slice(0, 8);
  const environment = {
    folder: join(cacheDir, 'bench-peers', `${peer}-${digest}`),
    label: 'bench',
    title: `the packages of the ${peer} peer`,
    effort: EFFORTS[peer],
    // The lists are whole. Of what PyTorch's wheel names for GPUs they hold only what it cannot be loaded without.
    install: ['--no-deps', '--requirement', requirements],
    otherwise: `leave ${peer} out of peers=`,
  };
  return await ensurePythonEnvironment(environment, terminal, signal);
}
