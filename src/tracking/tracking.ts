import type { Auth, Transport } from 'mlflow-js-client';
import { UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { checkVersion, explainFailure } from './explain-failure.ts';
import { openClient } from './open-client.ts';
import { ensureServer } from './server.ts';
import { transportTo } from './transport.ts';

/** An MLflow server and who asks it. */
export interface Tracking {
  uri: string;
  auth?: Auth;
  /** Certificates and proxy. */
  transport?: Transport;
}

/** A server that may still be on its way: a local one is installed and started while training already runs. */
export interface TrackingSource {
  /** Rejects where there will be none. */
  ready: Promise<Tracking>;
  /** Ends the waiting: `ready` rejects unless it is there. */
  cancel(): void;
}

/** The machine settings that tracking goes by; the folders are absolute. */
export interface TrackingSettings {
  /** MLFLOW_TRACKING_URI. */
  trackingUri?: string | undefined;
  trackingUsername?: string | undefined;
  trackingPassword?: string | undefined;
  trackingToken?: string | undefined;
  /** MLFLOW_TRACKING_INSECURE_TLS. */
  trackingInsecureTls?: 'true' | 'false' | undefined;
  trackingServerCert?: string | undefined;
  trackingClientCert?: string | undefined;
  /** Where MLflow's own environment is kept. */
  cacheDir: string;
  /** The local server's state lies in its folder `mlflow`. */
  runsDir: string;
}

/** The server of MLFLOW_TRACKING_URI; undefined where that is not set. Credentials inside the address leave it here. */
export function trackingOf(settings: TrackingSettings): Tracking | undefined {
  if (settings.trackingUri === undefined) return undefined;
  const { protocol, host, pathname, username, password } = new URL(settings.trackingUri);
  const inside =
    username === '' ? {} : { auth: { username: decodeURIComponent(username), password: decodeURIComponent(password) } };
  const uri = `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
  const transport = transportTo(uri, settings);
  const way = Object.keys(transport).length === 0 ? {} : { transport };
  return { uri, ...inside, ...credentials(settings), ...way };
}

/** The server of MLFLOW_TRACKING_URI where that is set, else the local one, which is started if it does not run. */
export function resolveTracking(settings: TrackingSettings, terminal: Terminal): TrackingSource {
  const cancelling = new AbortController();
  const given = trackingOf(settings);
  const ready =
    given === undefined
      ? ensureServer(settings, terminal, cancelling.signal).then((uri) => ({ uri }))
      : Promise.resolve(given);
  // Whoever awaits it hears of the failure; before anybody does, Node must not call it unhandled.
  ready.catch(() => {});
  return { ready, cancel: () => cancelling.abort() };
}

/** Throws UserError where no MLflow server answers, or it does not let this user in. */
export async function checkServer(tracking: Tracking): Promise<void> {
  const client = openClient(tracking, { retries: 1, timeoutMs: 10_000 });
  try {
    // Not the health page: that is open to all, and missing where a proxy hands on the API alone.
    await client.getExperimentByName('Default');
    await checkVersion(client);
  } catch (cause) {
    throw new UserError(`Expected an MLflow server at ${client.trackingUri} but ${explainFailure(cause)}`, { cause });
  }
}

/** The names and their order of precedence are MLflow's own: a user's name and password before a token. */
function credentials(settings: TrackingSettings): { auth?: Auth } {
  const { trackingUsername: username, trackingPassword: password, trackingToken: token } = settings;
  if (username !== undefined && password !== undefined) return { auth: { username, password } };
  return token === undefined ? {} : { auth: { token } };
}
