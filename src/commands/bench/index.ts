import { didYouMean } from '../../config/nearest.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { Command, CommandArgs, CommandResult } from '../command.ts';

type Bench = (args: CommandArgs, terminal: Terminal) => Promise<CommandResult>;

/** Every bench by name; its code is only loaded when it runs. */
const BENCHES: Record<string, () => Promise<Bench>> = {
  phantom: async () => (await import('./phantom.ts')).benchPhantom,
};

export const benchCommand: Command = {
  name: 'bench',
  summary: 'measure the harness',
  usage: `<${Object.keys(BENCHES).join('|')}>`,
  keys: {},
  overrides: false,
  async run(args, terminal) {
    const [name = '', ...words] = args.words;
    const names = Object.keys(BENCHES);
    const load = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (load === undefined) {
      throw new UserError(expected(`one of ${names.join(', ')}`, 'the bench', name, didYouMean(name, names)));
    }
    const bench = await load();
    return await bench({ ...args, words }, terminal);
  },
};
