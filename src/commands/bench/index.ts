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
  peers: {
    keys: {
      'model.encoder': 'peers: the encoder of the U-Net (efficientnet-b4)',
      resolution: 'peers: side of the images (256)',
      batch_size: 'peers: images in a batch (4)',
      steps: 'peers: steps of each process that are timed (10)',
      rounds: 'peers: how often all take their turn (3)',
      peers: 'peers: which of keras,pytorch,stock (all)',
    },
    load: async () => (await import('./peers.ts')).benchPeers,
  },
};

export const benchCommand: Command = {
  name: 'bench',
  summary: 'measure the harness',
  usage: `<${Object.keys(BENCHES).join('|')}>`,
  keys: mergeKeys(Object.values(BENCHES).map(({ keys }) => keys)),
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

/** Keys that several benches take have the help of each. */
function mergeKeys(each: readonly Record<string, string>[]): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const [key, help] of each.flatMap((keys) => Object.entries(keys))) {
    merged[key] = merged[key] === undefined ? help : `${merged[key]}; ${help}`;
  }
  return merged;
}
