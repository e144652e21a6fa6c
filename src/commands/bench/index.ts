import { didYouMean } from '../../config/nearest.ts';
import { expected, UserError } from '../../core/errors.ts';
import type { Terminal } from '../../core/terminal.ts';
import type { Command, CommandArgs, CommandResult } from '../command.ts';

type Bench = (args: CommandArgs, terminal: Terminal) => Promise<CommandResult>;

/** Every bench by name, with the keys it takes; its code is only loaded when it runs. */
const BENCHES: Record<string, { keys: Record<string, string>; load(): Promise<Bench> }> = {
  phantom: {
    keys: {
      images: 'phantom: labelled images to make (240)',
      seed: 'phantom: the seed of the images and of the baselines (42)',
      data: 'phantom: measure this data root rather than a fresh one',
    },
    load: async () => (await import('./phantom.ts')).benchPhantom,
  },
  loader: {
    keys: {
      resolution: 'loader: side of the images (512)',
      batch_size: 'loader: images in a batch (4)',
      workers: 'loader: threads (2)',
      images: 'loader: images to load while timed (2000)',
    },
    load: async () => (await import('./loader.ts')).benchLoader,
  },
};

export const benchCommand: Command = {
  name: 'bench',
  summary: 'measure the harness',
  usage: `<${Object.keys(BENCHES).join('|')}>`,
  keys: Object.assign({}, ...Object.values(BENCHES).map(({ keys }) => keys)),
  overrides: false,
  async run(args, terminal) {
    const [name = '', ...words] = args.words;
    const names = Object.keys(BENCHES);
    const entry = Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
    if (entry === undefined) {
      throw new UserError(expected(`one of ${names.join(', ')}`, 'the bench', name, didYouMean(name, names)));
    }
    const bench = await entry.load();
    return await bench({ ...args, words }, terminal);
  },
};
