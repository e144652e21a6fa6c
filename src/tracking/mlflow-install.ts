import { join } from 'node:path';
import { ensurePythonEnvironment } from '../core/python-environment.ts';
import type { Terminal } from '../core/terminal.ts';

/** The server that is installed; the client is tested against it. */
export const MLFLOW_VERSION = '3.17.2';

/**
 * The Python of a private virtual environment with MLflow in it, made on first use and used by all projects of this
 * user. Throws UserError where it cannot be made, with the command that helps.
 */
export async function ensureMlflow(cacheDir: string, terminal: Terminal, signal?: AbortSignal): Promise<string> {
  const environment = {
    folder: join(cacheDir, `mlflow-${MLFLOW_VERSION}`),
    label: 'mlflow',
    title: `MLflow ${MLFLOW_VERSION}`,
    effort: 'about a minute, 850 MB',
    install: [`mlflow==${MLFLOW_VERSION}`],
    otherwise: 'set MLFLOW_TRACKING_URI to a server',
  };
  return await ensurePythonEnvironment(environment, terminal, signal);
}
