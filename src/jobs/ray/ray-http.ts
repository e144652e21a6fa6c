import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { expected, messageOf } from '../../core/errors.ts';
import { transportTo } from '../../tracking/transport.ts';

export interface Answer {
  status: number;
  text: string;
}

/** The REST interface of a cluster's head. */
export interface Ray {
  /** Its address without credentials, for sentences. */
  address: string;
  /**
   * Sends a request and reads the answer, whatever its status. Throws Error where none comes.
   * @param body bytes as they are, anything else as JSON
   */
  ask(method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string, body?: Uint8Array | object): Promise<Answer>;
  /** Like `ask`, for what it answers as JSON. Throws Error where the status is not 200, with Ray's reason. */
  read<T>(path: string): Promise<T>;
}

/** An answer may take so long; the head's first job of all takes it some seconds. */
const PATIENCE_MS = 60_000;

/**
 * Asks as a program and not as a browser: Ray answers 405 to the header `Sec-Fetch-Mode`, which Node's `fetch` sends.
 * @param token of a cluster with RAY_AUTH_MODE=token, from RAY_AUTH_TOKEN, as Ray's own programs have it
 */
export function connectRay(address: string, token = process.env.RAY_AUTH_TOKEN): Ray {
  const { protocol, host, pathname, username, password } = new URL(address);
  const shown = `${protocol}//${host}${pathname.replace(/\/+$/, '')}`;
  const login = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`).toString('base64');
  const authorization = token ? `Bearer ${token}` : username === '' ? undefined : `Basic ${login}`;
  const { agent = false } = transportTo(shown, {});

  const send = async (method: string, path: string, body: Uint8Array | undefined, type: string): Promise<Answer> => {
    const headers = {
      accept: '*/*',
      ...(authorization === undefined ? {} : { authorization }),
      ...(body === undefined ? {} : { 'content-type': type, 'content-length': body.length }),
    };
    const options = { method, headers, agent, signal: AbortSignal.timeout(PATIENCE_MS) };
    return await new Promise((resolve, reject) => {
      const request = (protocol === 'https:' ? requestHttps : requestHttp)(`${shown}${path}`, options);
      request.on('error', reject);
      request.on('response', (response) => {
        buffer(response).then((bytes) => resolve({ status: response.statusCode!, text: bytes.toString() }), reject);
      });
      request.end(body);
    });
  };

  const ask: Ray['ask'] = async (method, path, body) => {
    const where = `${method} ${shown}${path}`;
    const bytes = body === undefined || body instanceof Uint8Array ? body : Buffer.from(JSON.stringify(body));
    const type = body instanceof Uint8Array ? 'application/octet-stream' : 'application/json';
    return await send(method, path, bytes, type).catch((cause: Error) => {
      const late = cause.name === 'AbortError' || cause.name === 'TimeoutError';
      const reason = late ? `nothing within ${PATIENCE_MS / 1000} s` : noConnection(cause);
      throw new Error(expected('an answer of Ray', where, reason), { cause });
    });
  };

  return {
    address: shown,
    ask,
    read: async <T>(path: string) => {
      const answer = await ask('GET', path);
      if (answer.status !== 200) throw refusal(`GET ${shown}${path}`, answer);
      return parse<T>(answer.text, `GET ${shown}${path}`);
    },
  };
}

/** What Ray's refusal of a request is thrown as. */
export function refusal(where: string, answer: Answer): Error {
  const { status, text } = answer;
  const next = 'Set RAY_AUTH_TOKEN to the cluster’s token (`ray get-auth-token` prints it on its head).';
  return new Error(expected('status 200', where, `${status}: ${reasonOf(text)}`, isStranger(answer) ? next : ''));
}

/** Whether Ray does not know who asks. */
export function isStranger({ status }: Answer): boolean {
  return status === 401 || status === 403;
}

function parse<T>(text: string, where: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new Error(expected('JSON of Ray', where, text), { cause });
  }
}

/** The last line that says something: Ray answers with the whole traceback of Python's. */
function reasonOf(text: string): string {
  const lines = text.split('\n').filter((line) => /\w/.test(line));
  return (lines.at(-1) ?? '').trim();
}

/** A name with several addresses fails with an AggregateError, whose own message is empty. */
function noConnection(error: Error): string {
  return messageOf(error) || ((error as NodeJS.ErrnoException).code ?? 'no connection');
}
