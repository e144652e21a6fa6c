/** A call that MLflow refused, or that never got an answer: carries every fact about it. */
export class MlflowError extends Error {
  override name = 'MlflowError';
  readonly method: string;
  /** The path that was asked for, without the server's address. */
  readonly path: string;
  /** The HTTP status, or undefined where no whole answer came back. */
  readonly status: number | undefined;
  /**
   * MLflow's own code (`RESOURCE_DOES_NOT_EXIST`, `INVALID_PARAMETER_VALUE`, …); without an answer, Node's
   * (`ECONNREFUSED`, …), `TIMEOUT` or `CLOSED`; undefined where the answer is not MLflow's (a proxy's page).
   */
  readonly code: string | undefined;

  constructor(
    call: { method: string; path: string },
    facts: { status?: number | undefined; code?: string | undefined; message: string; cause?: unknown },
  ) {
    const answer = [facts.status, facts.code].filter((part) => part !== undefined).join(' ');
    super(`MLflow ${call.method} ${call.path}: ${answer}${answer === '' ? '' : ': '}${facts.message}`, {
      cause: facts.cause,
    });
    this.method = call.method;
    this.path = call.path;
    this.status = facts.status;
    this.code = facts.code;
  }

  /** Whether the same call may succeed later: no answer at all, or the server busy or broken (408, 429, 5xx). */
  get transient(): boolean {
    if (this.status === undefined) return this.code !== 'CLOSED';
    return this.status === 408 || this.status === 429 || this.status >= 500;
  }

  /** Whether the server certainly never began to work on the call, so that even creating something may be repeated. */
  get unsent(): boolean {
    return this.status === 429 || (this.code !== undefined && NEVER_CONNECTED.has(this.code));
  }
}

const NEVER_CONNECTED = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH']);

/** The error that an answer of status 400 and above means; MLflow answers in JSON, proxies and its own guard in text. */
export function errorOfAnswer(call: { method: string; path: string }, status: number, body: Uint8Array): MlflowError {
  const text = new TextDecoder().decode(body).trim();
  try {
    const { error_code: code, message } = JSON.parse(text) as { error_code?: unknown; message?: unknown };
    if (typeof code === 'string') return new MlflowError(call, { status, code, message: String(message ?? '') });
  } catch {
    // Not JSON: the text itself is all there is to say.
  }
  return new MlflowError(call, { status, message: text === '' ? '(an empty answer)' : shorten(text) });
}

function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}
