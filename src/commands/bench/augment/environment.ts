import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../../core/atomic-file.ts';
import { ensurePythonEnvironment } from '../../../core/python-environment.ts';
import type { Terminal } from '../../../core/terminal.ts';

/**
 * The Python of albumentations and OpenCV at pinned versions, in an environment of its own under the cache folder, made
 * on first use. Throws UserError where Python is missing or pip fails.
 */
export async function ensureAlbumentations(cacheDir: string, terminal: Terminal, signal: AbortSignal): Promise<string> {
  const requirements = join(import.meta.dirname, 'requirements.txt');
  const digest = sha256(await readFile(requirements)).slice(0, 8);
  const environment = {
    folder: join(cacheDir, 'bench-peers', `albumentations-${digest}`),
    label: 'bench',
    title: 'albumentations and OpenCV',
    effort: 'half a minute, 420 MB',
    install: ['--no-deps', '--requirement', requirements],
    otherwise: 'run the bench on a machine with Python',
  };
  return await ensurePythonEnvironment(environment, terminal, signal);
}
