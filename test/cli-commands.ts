import { setTimeout as sleep } from 'node:timers/promises';
import { runCli } from '../src/cli.ts';
import type { Command, CommandArgs, CommandResult } from '../src/commands/command.ts';
import type { CommandEntry } from '../src/commands/index.ts';
import { UserError } from '../src/core/errors.ts';
import type { Terminal } from '../src/core/terminal.ts';

/** Commands that only the tests of the command line know: run this file as `cli.ts` is run. */
function entry(name: string, run: Command['run'], usage = '', overrides = false): CommandEntry {
  const command: Command = { name, summary: `tests ${name}`, usage, keys: { out: 'where to' }, overrides, run };
  return { name, summary: command.summary, load: async () => command };
}

async function echo({ words, values, cwd }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  terminal.say('a line for a person');
  process.stdout.write('a line that a library prints\n');
  return { json: { words, values, cwd } };
}

/** Says that it waits, and ends when it is told to, as a run does that saves first. */
async function wait({ signal }: CommandArgs, terminal: Terminal): Promise<CommandResult> {
  terminal.say('waiting');
  while (!signal.aborted) await sleep(20);
  terminal.say('saved');
  return { json: { saved: true } };
}

process.exit(
  await runCli(process.argv.slice(2), [
    entry('echo', echo, '<file> [more …]', true),
    entry('none', echo, '[file]'),
    entry('skips', async () => ({ json: {}, exitCode: 3 })),
    entry('mistake', async () => {
      throw new UserError('Expected this for that but received nothing.');
    }),
    entry('bug', async () => {
      throw new Error('A bug.', { cause: new Error('Its cause.') });
    }),
    entry('stray', async () => {
      setImmediate(() => {
        throw new Error('A stray bug.');
      });
      await sleep(5000);
      return { json: {} };
    }),
    entry('wait', wait),
    entry('throws', async (args, terminal) => {
      await wait(args, terminal);
      args.signal.throwIfAborted();
      return { json: {} };
    }),
    entry('deaf', async (_, terminal) => {
      terminal.say('waiting');
      await sleep(20_000);
      return { json: {} };
    }),
  ]),
);
