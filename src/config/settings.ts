import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type ConfigOf, fromEnvironment, listKeys, optional, withDefault } from './keys.ts';
import { loadConfig } from './load-config.ts';
import { resolvePath, userFolder } from './paths.ts';

const text = z.string().min(1);

/** What belongs to a machine and never to an experiment; docs/reference/commands.md lists the variables. */
export const settingsKeys = {
  trackingUri: fromEnvironment(
    'MLFLOW_TRACKING_URI',
    optional('The MLflow server to log to; left out: a local one is started.', httpAddress()),
  ),
  trackingUsername: fromEnvironment('MLFLOW_TRACKING_USERNAME', optional('Its user, for basic authentication.', text)),
  trackingPassword: fromEnvironment('MLFLOW_TRACKING_PASSWORD', optional('Its user’s password.', text)),
  trackingToken: fromEnvironment('MLFLOW_TRACKING_TOKEN', optional('Its bearer token.', text)),
  trackingInsecureTls: fromEnvironment(
    'MLFLOW_TRACKING_INSECURE_TLS',
    optional('true: do not check its certificate.', z.enum(['true', 'false'])),
  ),
  trackingServerCert: fromEnvironment(
    'MLFLOW_TRACKING_SERVER_CERT_PATH',
    optional('A file of authorities (PEM) that its certificate may be of.', text),
  ),
  trackingClientCert: fromEnvironment(
    'MLFLOW_TRACKING_CLIENT_CERT_PATH',
    optional('A file with our certificate and its key (PEM).', text),
  ),
  cacheDir: fromEnvironment(
    'PNEUMOTHORAX_CACHE',
    optional('Where TensorFlow’s library, MLflow’s environment and published weights are kept.', text),
  ),
  runsDir: fromEnvironment('PNEUMOTHORAX_RUNS', withDefault('Where runs are written.', text, 'runs')),
  loaderWorkers: fromEnvironment(
    'PNEUMOTHORAX_LOADER_WORKERS',
    optional('Threads that load images; left out: one less than the machine has cores, at most 8.', wholeNumber()),
  ),
  foldProcesses: fromEnvironment(
    'PNEUMOTHORAX_FOLD_PROCESSES',
    optional('Folds that data.fold=all trains at once; left out: one for each GPU, or one.', wholeNumber()),
  ),
};

/** Machine settings; `cacheDir` and `runsDir` are absolute. */
export type Settings = ConfigOf<typeof settingsKeys> & { cacheDir: string };

/**
 * Reads the machine settings: defaults ← environment, an empty variable counting as unset.
 * Throws one UserError that names every variable with a wrong value.
 */
export async function readSettings(
  cwd: string = userFolder(),
  environment: NodeJS.ProcessEnv = process.env,
): Promise<Settings> {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const settings = await loadConfig(settingsKeys, { value: {}, locate: locateVariable, environment: given });
  const cacheHome = given.XDG_CACHE_HOME ?? join(homedir(), '.cache');
  return {
    ...settings,
    cacheDir: resolvePath(settings.cacheDir ?? join(cacheHome, 'pneumothorax-harness'), cwd),
    runsDir: resolvePath(settings.runsDir, cwd),
  };
}

function locateVariable(path: readonly (string | number)[]): string {
  const key = listKeys(settingsKeys).find((declared) => declared.path[0] === path[0])?.key;
  return `environment (${key?.env ?? path.join('.')})`;
}

/** The environment holds text alone. */
function wholeNumber() {
  return z
    .string()
    .regex(/^[1-9]\d?$/, 'a whole number from 1 to 99')
    .transform(Number);
}

function httpAddress() {
  return z.url({ protocol: /^https?$/, error: 'an http or https address' });
}
