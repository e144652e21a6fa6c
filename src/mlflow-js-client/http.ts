import type { Agent, ClientRequest, IncomingMessage } from 'node:http';
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MlflowError } from './error.ts';

/** How connections are made. */
export interface Transport {
  /** Makes connections, through a proxy; left out: directly. */
  agent?: Agent;
  /** Certificates: whom to trust beside or instead of the usual authorities, and who is calling, in PEM. */
  tls?: { ca?: string; cert?: string; key?: string; rejectUnauthorized?: boolean };
}

/** What goes out; a body that is a stream is opened anew for each attempt. */
export interface Call {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Shown in errors: the path without the server's address. */
  path: string;
  url: URL;
  headers: Record<string, string | number>;
  /** The way to the server where it is not direct. */
  transport: Transport;
  body?: Uint8Array | (() => Readable);
}

export interface Answer {
  status: number;
  /** What the server said about when to come back, in milliseconds. */
  retryAfterMs: number | undefined;
  body: Uint8Array;
}

/** A silent stretch is measured in this many ticks. */
const TICKS = 10;

/**
 * Sends one request on a connection of its own and reads the whole answer, whatever its status.
 * It fails when nothing moves for `timeoutMs`. That time is counted in ticks of a tenth, not by the clock: a process
 * whose event loop stands still meanwhile (a long native call) gets one tick for it, and never mistakes its own
 * standstill for the server's. For the same reason connections are not kept: an idle one would be closed by the server.
 * Throws MlflowError without a status: Node's error code, `TIMEOUT`, or `CLOSED` where `signal` ended it.
 */
export async function send(call: Call, timeoutMs: number, signal: AbortSignal): Promise<Answer> {
  const patience = new AbortController();
  const watch = watchSilence(timeoutMs, () => patience.abort());
  try {
    const { agent = false, tls = {} } = call.transport;
    const options = { method: call.method, headers: call.headers, agent, signal, ...tls };
    const request = (call.url.protocol === 'https:' ? requestHttps : requestHttp)(call.url, options);
    patience.signal.addEventListener('abort', () => request.destroy(new Error('timed out')), { once: true });
    const [response] = await Promise.all([answerOf(request), writeBody(request, call.body, watch.moved)]);
    const body = await readAll(response, watch.moved);
    return { status: response.statusCode ?? 0, retryAfterMs: retryAfter(response), body };
  } catch (error) {
    throw noAnswer(call, error, { timedOut: patience.signal.aborted, closed: signal.aborted, timeoutMs });
  } finally {
    watch.stop();
  }
}

function answerOf(request: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
}

/** A server may answer before it has read everything (401, 413): its answer counts, not the broken pipe. */
async function writeBody(request: ClientRequest, body: Call['body'], moved: () => void): Promise<void> {
  if (typeof body !== 'function') {
    request.end(body);
    return;
  }
  let answered = false;
  request.once('response', () => {
    answered = true;
  });
  const source = body();
  source.on('data', moved);
  await pipeline(source, request).catch((error: unknown) => {
    if (answered) return;
    request.destroy();
    throw error;
  });
}

async function readAll(response: IncomingMessage, moved: () => void): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of response) {
    moved();
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function watchSilence(timeoutMs: number, expire: () => void): { moved(): void; stop(): void } {
  let ticks = 0;
  const timer = setInterval(() => {
    ticks += 1;
    if (ticks >= TICKS) expire();
  }, timeoutMs / TICKS);
  return {
    moved: () => {
      ticks = 0;
    },
    stop: () => clearInterval(timer),
  };
}

function noAnswer(
  call: Call,
  error: unknown,
  how: { timedOut: boolean; closed: boolean; timeoutMs: number },
): MlflowError {
  const cause = error as NodeJS.ErrnoException;
  if (how.closed) return new MlflowError(call, { code: 'CLOSED', message: 'the client was closed', cause });
  if (how.timedOut) {
    const message = `no answer from ${call.url.host} within ${how.timeoutMs / 1000} s`;
    return new MlflowError(call, { code: 'TIMEOUT', message, cause });
  }
  // A name with several addresses fails with an AggregateError, whose own message is empty.
  const message = cause.message === '' ? `no connection to ${call.url.host}` : cause.message;
  return new MlflowError(call, { code: cause.code, message, cause });
}

/** `Retry-After` in its form of seconds (RFC 9110, section 10.2.3). */
function retryAfter(response: IncomingMessage): number | undefined {
  const text = response.headers['retry-after'];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) * 1000 : undefined;
}
