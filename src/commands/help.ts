import { didYouMean } from '../config/nearest.ts';
import { expected, UserError } from '../core/errors.ts';
import type { Command } from './command.ts';
import { type CommandEntry, commands } from './index.ts';
import { usageLine } from './words.ts';

export const helpCommand: Command = {
  name: 'help',
  summary: 'list the commands, or show what one takes',
  usage: '[command]',
  keys: {},
  overrides: false,
  async run({ words }, terminal) {
    const [name] = words;
    if (name === undefined) {
      terminal.say(overviewText(commands));
      return { json: { commands: commands.map(({ name, summary }) => ({ name, summary })) } };
    }
    const command = await findCommand(name).load();
    terminal.say(commandText(command));
    return { json: { name: command.name, summary: command.summary, usage: usageLine(command), keys: command.keys } };
  },
};

/** The command of that name; throws UserError with the nearest name when there is none. */
export function findCommand(name: string, table: readonly CommandEntry[] = commands): CommandEntry {
  const entry = table.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  const names = table.map((candidate) => candidate.name);
  throw new UserError(expected(`one of ${names.join(', ')}`, 'the command', name, didYouMean(name, names)));
}

/** The list of all commands. */
export function overviewText(table: readonly CommandEntry[]): string {
  const rows = columns(table.map(({ name, summary }) => [name, summary]));
  return [
    'npm run <command> [file …] [key=value …]',
    '',
    ...rows,
    '',
    'npm run help <command> shows what a command takes. Every command takes json=true (with npm run -s).',
  ].join('\n');
}

/** What one command takes. */
export function commandText(command: Command): string {
  const keys = { ...command.keys, json: 'true: one JSON object on stdout, everything else on stderr' };
  const rest = command.overrides ? ['', 'Every other key=value word is laid over the file, with dotted keys.'] : [];
  return [`${usageLine(command)}`, `  ${command.summary}`, '', ...columns(Object.entries(keys)), ...rest].join('\n');
}

function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}
