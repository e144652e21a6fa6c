import type { Readable } from 'node:stream';
import { MlflowError } from './error.ts';
import type { Call, Transport } from './http.ts';
import { sendWithRetries } from './retry.ts';

/** Who is asking: a user's name and password, or a bearer token. */
export type Auth = { username: string; password: string } | { token: string };

export interface ConnectionOptions extends Transport {
  /** `http://host:port` or `https://…`, with a path prefix where the server has one. */
  trackingUri: string;
  /** How long a call may stand still before it is given up; 30 s unless told. */
  timeoutMs?: number;
  /** How many more times a failed call is sent where that is safe; 4 unless told. */
  retries?: number;
  auth?: Auth;
}

/** Requests to one server. */
export interface Connection {
  /** The server's address without credentials and without a trailing slash. */
  trackingUri: string;
  /** A GET of `/api/2.0/mlflow/<name>`. */
  get<T>(name: string, query: Record<string, string | number | undefined>): Promise<T>;
  /** A POST to `/api/2.0/mlflow/<name>`; `repeatable` when sending it twice leaves the same as once. */
  post<T>(name: string, body: unknown, repeatable: boolean): Promise<T>;
  /** Any path under the server's address: its bytes. */
  fetch(path: string): Promise<Uint8Array>;
  put(path: string, body: Uint8Array | { size: number; open: () => Readable }): Promise<void>;
  close(): void;
}

/** Checks an address and opens a connection to it; nothing is sent yet. Throws RangeError for a wrong address. */
export function openConnection(options: ConnectionOptions): Connection {
  const { trackingUri, auth } = parseAddress(options.trackingUri, options.auth);
  const closing = new AbortController();
  const retry = { timeoutMs: options.timeoutMs ?? 30_000, retries: options.retries ?? 4, signal: closing.signal };
  const call = (method: Call['method'], path: string, headers: Call['headers'], body?: Call['body']): Call => ({
    method,
    path: path.split('?')[0]!,
    url: new URL(trackingUri + path),
    transport: options,
    headers: { accept: '*/*', ...authorization(auth), ...headers },
    ...(body === undefined ? {} : { body }),
  });
  const fetch = (path: string) => sendWithRetries(call('GET', path, {}), true, retry);
  return {
    trackingUri,
    fetch,
    get: async <T>(name: string, query: Record<string, string | number | undefined>) => {
      const path = `/api/2.0/mlflow/${name}${queryText(query)}`;
      return parseJson<T>(await fetch(path), { method: 'GET', path: path.split('?')[0]! });
    },
    post: async <T>(name: string, body: unknown, repeatable: boolean) => {
      const bytes = new TextEncoder().encode(JSON.stringify(body));
      // Without the content type the server reads no body at all.
      const headers = { 'content-type': 'application/json', 'content-length': bytes.length };
      const post = call('POST', `/api/2.0/mlflow/${name}`, headers, bytes);
      return parseJson<T>(await sendWithRetries(post, repeatable, retry), post);
    },
    put: async (path, body) => {
      const [size, payload] = body instanceof Uint8Array ? [body.length, body] : [body.size, body.open];
      const headers = { 'content-type': 'application/octet-stream', 'content-length': size };
      await sendWithRetries(call('PUT', path, headers, payload), true, retry);
    },
    close: () => closing.abort(),
  };
}

function parseAddress(text: string, given: Auth | undefined): { trackingUri: string; auth: Auth | undefined } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    const shown = url?.password ? '(an address with a password)' : JSON.stringify(text);
    throw new RangeError(`Expected http://… or https://… for the tracking URI but received ${shown}.`);
  }
  const inside = { username: decodeURIComponent(url.username), password: decodeURIComponent(url.password) };
  const trackingUri = `${url.protocol}//${url.host}${url.pathname.replace(/\/+$/, '')}`;
  return { trackingUri, auth: given ?? (url.username === '' ? undefined : inside) };
}

/** RFC 7617 (Basic, in UTF-8) and RFC 6750 (Bearer). */
function authorization(auth: Auth | undefined): { authorization?: string } {
  if (auth === undefined) return {};
  if ('token' in auth) return { authorization: `Bearer ${auth.token}` };
  return { authorization: `Basic ${Buffer.from(`${auth.username}:${auth.password}`).toString('base64')}` };
}

function queryText(query: Record<string, string | number | undefined>): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.append(key, String(value));
  return search.size === 0 ? '' : `?${search}`;
}

function parseJson<T>(bytes: Uint8Array, call: { method: string; path: string }): T {
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    // A proxy's or another program's page under status 200: not a server of MLflow's.
    const message = `expected JSON but received ${JSON.stringify(text.slice(0, 80))}. Is this an MLflow server?`;
    throw new MlflowError(call, { status: 200, message, cause });
  }
}
