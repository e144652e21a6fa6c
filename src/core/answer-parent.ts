import type { ChildMessage, ParentMessage } from './child.ts';
import { messageOf, Stopped, showError, UserError } from './errors.ts';

/** What a child's work is given beside its question. */
export interface ChildContext {
  /** Aborted when the parent says stop, or is gone. */
  signal: AbortSignal;
  /** Says something to the parent on the way. */
  tell(news: unknown): void;
}

/** In a process that `askChild` started: does the work once, sends what comes of it, and ends the process. */
export async function answerParent<Question>(
  work: (question: Question, context: ChildContext) => Promise<unknown>,
): Promise<never> {
  const controller = new AbortController();
  const question = listenToParent<Question>(controller);
  let end: ChildMessage;
  try {
    const tell = (news: unknown) => void send({ news });
    end = { answer: await work(await question, { signal: controller.signal, tell }) };
  } catch (error) {
    end = describe(error);
  }
  await send(end);
  process.exit(0);
}

function listenToParent<Question>(controller: AbortController): Promise<Question> {
  // A terminal's Ctrl-C reaches every process: the parent hears it too and decides.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGUSR1'] as const) process.on(name, () => {});
  process.on('disconnect', () => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort(new Stopped('The parent process is gone.'));
  });
  process.on('uncaughtException', (error) => void send(describe(error)).then(() => process.exit(1)));
  return new Promise((resolve) => {
    process.on('message', (message: ParentMessage) => {
      if ('question' in message) resolve(message.question as Question);
      else controller.abort(new Stopped(message.stop, { requeue: message.requeue }));
    });
  });
}

function describe(error: unknown): ChildMessage {
  const kind = error instanceof UserError ? 'user' : error instanceof Stopped ? 'stopped' : 'other';
  return { error: { kind, message: messageOf(error), shown: showError(error) } };
}

/** Resolves when the message is on its way, or cannot be sent any more. */
function send(message: ChildMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.connected) process.send!(message, () => resolve());
    else resolve();
  });
}
