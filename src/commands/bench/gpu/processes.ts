import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { messageOf } from '../../../core/errors.ts';
import { isOutOfMemory } from '../../../train/out-of-memory.ts';

/** How a process of the bench ended. */
export interface Ended {
  pid: number | undefined;
  /** Milliseconds, Date.now. */
  from: number;
  to: number;
  /** The JSON object of its last line, or why there is none. */
  figures?: Record<string, unknown>;
  why?: string;
}

export interface ProcessOptions {
  /** Laid over this process's environment. */
  env?: Record<string, string>;
  signal: AbortSignal;
}

/** The project's folder: five up from this file. */
const PROJECT = resolve(fileURLToPath(import.meta.url), '../../../../..');
const OUT_OF_MEMORY = 'out of memory';

/** A bench of this harness as a process: `runBench(['train-step', 'resolution=512'], …)`. */
export async function runBench(words: readonly string[], options: ProcessOptions): Promise<Ended> {
  const program = ['--import', 'tsx', 'src/cli.ts', 'bench'];
  return await runProcess(process.execPath, [...program, ...words, 'json=true'], options);
}

/** Runs a process to its end, whatever that is. Throws only where the signal says to stop. */
export async function runProcess(
  program: string,
  words: readonly string[],
  { env = {}, signal }: ProcessOptions,
): Promise<Ended> {
  const from = Date.now();
  const child = execa(program, words, { cwd: PROJECT, env, reject: false, cancelSignal: signal });
  const { pid } = child;
  const { stdout, stderr, failed, signal: killed, shortMessage } = await child;
  signal.throwIfAborted();
  const end = { pid, from, to: Date.now() };
  const answer = readObject(stdout);
  if (!failed && answer !== undefined) return { ...end, figures: answer };
  const said = answer?.error === undefined ? undefined : (answer.error as { message?: string }).message;
  if (!failed) return { ...end, why: 'it gave no figures' };
  return { ...end, why: said === undefined ? whyDead(stderr, killed, shortMessage) : nameReason(said) };
}

/** A reason in a line: that memory ran out, or what the message begins with. */
export function nameReason(message: string): string {
  if (isOutOfMemory(message)) return OUT_OF_MEMORY;
  const [first = ''] = message.trim().split('\n');
  return first.length > 200 ? `${first.slice(0, 199)}…` : first;
}

/** Without a last word: the kernel ends a process that takes too much, and TensorFlow itself where a kernel cannot allocate. */
function whyDead(stderr: string, killed: string | undefined, shortMessage: string | undefined): string {
  if (killed === 'SIGKILL' || isOutOfMemory(stderr)) return OUT_OF_MEMORY;
  const last = stderr.trim().split('\n').at(-1);
  return nameReason(last || messageOf(shortMessage ?? 'it failed'));
}

function readObject(stdout: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(stdout.trim().split('\n').at(-1)!);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
