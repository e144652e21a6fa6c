import { fileURLToPath } from 'node:url';
import { execaNode } from 'execa';
import { isRequeue, messageOf, UserError } from './errors.ts';
import type { Terminal } from './terminal.ts';

/** What a child says to its parent: news on the way, then how its work ended. */
export type ChildMessage =
  | { news: unknown }
  | { answer: unknown }
  /** Classes do not survive the way between processes; `stopped` where the work ended because it was told to. */
  | { error: { kind: 'user' | 'stopped' | 'other'; message: string; shown: string } };

/** What a parent says to its child. */
export type ParentMessage = { question: unknown } | { stop: string; requeue: boolean };

/** A child that ended without a word: something killed it, or it crashed in native code. */
export class ChildDied extends Error {
  override name = 'ChildDied';

  /** The signal (`SIGKILL`) or `exit code 134`. */
  readonly how: string;

  constructor(how: string) {
    super(`The child process ended without an answer: ${how}.`);
    this.how = how;
  }
}

interface AskOptions {
  /** Told to the child when it aborts: it saves what it must and ends by itself. */
  signal: AbortSignal;
  /** Where what the child prints goes. */
  terminal: Terminal;
  /** Variables beside this process's own. */
  environment?: Readonly<Record<string, string>>;
  /** Called with each thing that the child tells on the way. */
  onNews?: (news: never) => void;
}

/**
 * Asks a module that calls `answerParent`, in a process of its own, and resolves with its answer.
 * Throws what the child throws (a UserError stays one, an abort is this signal's), and ChildDied where it is killed.
 * @param module `new URL('./x-child.ts', import.meta.url)`
 * @param question anything that structured cloning can copy
 */
export async function askChild<Answer>(
  module: URL,
  question: unknown,
  { signal, terminal, environment = {}, onNews }: AskOptions,
): Promise<Answer> {
  signal.throwIfAborted();
  const { childLine } = terminal;
  const child = execaNode(fileURLToPath(module), {
    nodeOptions: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced',
    stdin: 'ignore',
    env: environment,
    stdout: childLine === undefined ? (terminal.fd ?? 'ignore') : 'pipe',
    stderr: childLine === undefined ? 'inherit' : 'pipe',
    buffer: false,
    all: childLine !== undefined,
    reject: false,
  });
  const printed = childLine === undefined ? undefined : passOn(child.iterable({ from: 'all' }), childLine);
  let last: ChildMessage | undefined;
  child.on('message', (message: unknown) => {
    last = message as ChildMessage;
    if ('news' in last) onNews?.(last.news as never);
  });
  // A message to a child that is gone already is an error which its end says better.
  const tell = (message: ParentMessage) => void child.send(message, () => {});
  const stop = () => tell({ stop: messageOf(signal.reason), requeue: isRequeue(signal.reason) });
  tell({ question });
  signal.addEventListener('abort', stop, { once: true });
  const { signal: killed, exitCode } = await child;
  await printed;
  signal.removeEventListener('abort', stop);
  if (last === undefined || 'news' in last) throw new ChildDied(killed ?? `exit code ${exitCode}`);
  if ('answer' in last) return last.answer as Answer;
  const { kind, message, shown } = last.error;
  if (kind === 'stopped') signal.throwIfAborted();
  if (kind === 'user') throw new UserError(message);
  throw Object.assign(new Error(message), { stack: shown });
}

/** Lines of a child, as they come, until it ends; how it ended is not theirs to say, and nobody who takes them ends it. */
async function passOn(lines: AsyncIterable<unknown>, take: (line: string) => void): Promise<void> {
  try {
    for await (const line of lines) takeSafely(String(line), take);
  } catch {
    // The iteration throws what the child's end says too.
  }
}

/** A line that cannot be taken is lost; the child must find somebody who reads on, or it dies of its own printing. */
function takeSafely(line: string, take: (line: string) => void): void {
  try {
    take(line);
  } catch (error) {
    process.stderr.write(`${line} (${messageOf(error)})\n`);
  }
}
