import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Command, CommandResult } from './commands/command.ts';
import { findCommand } from './commands/help.ts';
import { type CommandEntry, commands } from './commands/index.ts';
import { checkWords, readWords } from './commands/words.ts';
import { userFolder } from './config/paths.ts';
import { messageOf, Stopped, showError, UserError } from './core/errors.ts';
import { openTerminal } from './core/terminal.ts';

/** SIGUSR1 is what a queue sends before it takes the machine away: EX_TEMPFAIL (sysexits.h), try again. */
const SIGNAL_CODES = { SIGINT: 130, SIGTERM: 143, SIGUSR1: 75 } as const;

/**
 * Runs one command and returns the exit code: 0 done, 1 failed, 2 the user's mistake, 3 done with items left out,
 * 130 and 143 stopped by a signal, 75 stopped by SIGUSR1 to be taken up again. This is the only place that catches.
 * @param typed the words after `npm run`: the command's name, files and `key=value`.
 * @param heard is told what went wrong, where something did
 */
export async function runCli(
  typed: readonly string[],
  table: readonly CommandEntry[] = commands,
  heard: (error: unknown) => void = () => {},
): Promise<number> {
  const json = typed.includes('json=true');
  const print = json ? keepStdout() : undefined;
  const stop = listenForSignals();
  const fail = (error: unknown) => {
    heard(error);
    return report(error, stop.exitCode(), print);
  };
  process.on('uncaughtException', (error) => process.exit(fail(error)));
  try {
    const result = await runCommand(typed, table, json, stop.signal);
    print?.(result.json);
    return stop.exitCode() ?? result.exitCode ?? 0;
  } catch (error) {
    return fail(error);
  }
}

async function runCommand(
  typed: readonly string[],
  table: readonly CommandEntry[],
  json: boolean,
  signal: AbortSignal,
): Promise<CommandResult> {
  const [name = 'help', ...rest] = asksForHelp(typed) ? ['help', ...typed.filter((word) => !isHelp(word))] : typed;
  const command: Command = await findCommand(name, table).load();
  const args = readWords(rest);
  checkWords(command, args);
  const terminal = openTerminal(json ? process.stderr : process.stdout);
  return await command.run({ ...args, cwd: userFolder(), signal }, terminal);
}

/** `help` in the first two places, or a flag for it anywhere: `npm run exp help` is the form that npm lets through. */
function asksForHelp(typed: readonly string[]): boolean {
  return typed.slice(0, 2).includes('help') || typed.some((word) => word === '--help' || word === '-h');
}

function isHelp(word: string): boolean {
  return ['help', '--help', '-h'].includes(word);
}

/** Leaves stdout to one JSON object: whatever anything else prints there goes to stderr. Returns the way to print it. */
function keepStdout(): (value: unknown) => void {
  const write = process.stdout.write.bind(process.stdout);
  process.stdout.write = process.stderr.write.bind(process.stderr) as typeof process.stdout.write;
  return (value) => void write(`${JSON.stringify(value)}\n`);
}

/** Turns the first signal into an abort and the next into an exit. */
function listenForSignals(): { signal: AbortSignal; exitCode(): number | undefined } {
  const controller = new AbortController();
  let first: { code: number; time: number } | undefined;
  for (const [name, code] of Object.entries(SIGNAL_CODES)) {
    process.on(name, () => {
      // One Ctrl-C may come twice: from the terminal, and forwarded by npm.
      if (first !== undefined && Date.now() - first.time > 1000) process.exit(code);
      first ??= { code, time: Date.now() };
      controller.abort(new Stopped(`Stopped by ${name}.`, { requeue: name === 'SIGUSR1' }));
    });
  }
  return { signal: controller.signal, exitCode: () => first?.code };
}

/** Says what went wrong and returns the exit code: the user's mistakes as their message, others with their stack. */
function report(error: unknown, stopped: number | undefined, print?: (value: unknown) => void): number {
  const code = stopped ?? (error instanceof UserError ? 2 : 1);
  const plain = error instanceof UserError || error instanceof Stopped;
  process.stderr.write(`${plain ? error.message : showError(error)}\n`);
  print?.({ error: { message: messageOf(error), exit_code: code } });
  return code;
}

if (realpathSync(process.argv[1]!) === fileURLToPath(import.meta.url))
  process.exit(await runCli(process.argv.slice(2)));
