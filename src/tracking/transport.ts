import { readFileSync } from 'node:fs';
import { HttpProxyAgent } from 'http-proxy-agent';
import { HttpsProxyAgent } from 'https-proxy-agent';
import type { Transport } from 'mlflow-js-client';
import { getProxyForUrl } from 'proxy-from-env';
import { expected, messageOf, UserError } from '../core/errors.ts';

/** What the environment says of certificates, by MLflow's own variables. */
interface Certificates {
  trackingInsecureTls?: 'true' | 'false' | undefined;
  trackingServerCert?: string | undefined;
  trackingClientCert?: string | undefined;
}

/**
 * The way to a server: through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name, never for this very machine, and with
 * the certificates of MLflow's own variables. Throws UserError where a file of certificates cannot be read or two contradict.
 */
export function transportTo(uri: string, certificates: Certificates): Transport {
  const tls = tlsOf(certificates);
  const { protocol, hostname } = new URL(uri);
  const proxy = /^(localhost|127\..*|\[::1\])$/.test(hostname) ? '' : getProxyForUrl(uri);
  if (proxy === '') return tls;
  // What TLS is given belongs to the server; the way to the proxy has Node's own.
  const agent = protocol === 'https:' ? new HttpsProxyAgent(proxy) : new HttpProxyAgent(proxy);
  return { agent, ...tls };
}

function tlsOf({ trackingInsecureTls, trackingServerCert, trackingClientCert }: Certificates): Transport {
  const insecure = trackingInsecureTls === 'true';
  if (insecure && trackingServerCert !== undefined) {
    const next = 'Unset one of the two.';
    throw new UserError(
      expected('MLFLOW_TRACKING_INSECURE_TLS alone', 'MLFLOW_TRACKING_SERVER_CERT_PATH', trackingServerCert, next),
    );
  }
  const own =
    trackingClientCert === undefined ? undefined : read('MLFLOW_TRACKING_CLIENT_CERT_PATH', trackingClientCert);
  const tls = {
    ...(insecure ? { rejectUnauthorized: false } : {}),
    ...(trackingServerCert === undefined ? {} : { ca: read('MLFLOW_TRACKING_SERVER_CERT_PATH', trackingServerCert) }),
    ...(own === undefined ? {} : { cert: own, key: own }),
  };
  return Object.keys(tls).length === 0 ? {} : { tls };
}

function read(variable: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new UserError(expected('a file of certificates in PEM', variable, path, messageOf(cause)), { cause });
  }
}
