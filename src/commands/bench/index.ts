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
  ingest: {
    keys: {
      images: 'ingest: labelled images of the phantom (360)',
      data: 'ingest: a phantom that is there already; its catalogue and cache are made anew',
      rounds: 'ingest: how often all take their turn (2)',
    },
    load: async () => (await import('./ingest.ts')).benchIngest,
  },
  augment: {
    keys: {
      rounds: 'augment: how often both take their turn (3)',
      seconds: 'augment: computing time of each list in a round (1)',
    },
    load: async () => (await import('./augment.ts')).benchAugment,
  },
  rle: {
    keys: {
      truth: 'rle: the label file (the real one, brought by pip)',
      rounds: 'rle: how often both take their turn (1)',
    },
    load: async () => (await import('./rle.ts')).benchRle,
  },
  submit: {
    keys: {
      images: 'submit: synthetic images (3205)',
      seed: 'submit: of the images (42)',
      truth: 'submit: the label file whose components are counted (the real one, brought by pip)',
    },
    load: async () => (await import('./submit.ts')).benchSubmit,
  },
  sweep: {
    keys: {
      units: 'sweep: units that do next to nothing (200)',
      at_once: 'sweep: how many run at once (2)',
    },
    load: async () => (await import('./sweep.ts')).benchSweep,
  },
  'train-step': {
    keys: stepKeyHelp('train-step'),
    load: async () => (await import('./train-step.ts')).benchTrainStep,
  },
  predict: {
    keys: stepKeyHelp('predict'),
    load: async () => (await import('./predict.ts')).benchPredict,
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
  learning: {
    keys: {
      seeds: 'learning: a training of each kind for each seed (1,2,3)',
      images: 'learning: labelled images of the phantom (360)',
      epochs: 'learning: of the first stage and of the second (8,3)',
      resolution: 'learning: side of the images in the second stage (256)',
    },
    load: async () => (await import('./learning.ts')).benchLearning,
  },
  tracking: {
    keys: { rounds: 'tracking: how often each server takes its turn (3)' },
    load: async () => (await import('./tracking.ts')).benchTracking,
  },
  compare: {
    keys: {
      runs: 'compare: how many there are (200)',
      epochs: 'compare: of each run (100)',
      updates: 'compare: of each epoch (100)',
      submissions: 'compare: of stage 1 (50)',
    },
    load: async () => (await import('./compare.ts')).benchCompare,
  },
  gpu: {
    keys: {
      encoder: 'gpu: the encoder of the U-Net (efficientnet-b4)',
      resolution: 'gpu: sizes, each a side and its batch (512x4,768x2,1024x1)',
      steps: 'gpu: steps of each process that are timed (20)',
    },
    load: async () => (await import('./gpu.ts')).benchGpu,
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

/** The keys of an experiment that a bench of the step takes. */
function stepKeyHelp(bench: string): Record<string, string> {
  const help = {
    'model.encoder': 'the encoder (efficientnet-b4)',
    'model.decoder': 'the decoder (unet)',
    'model.recompute': 'stages to compute again for the gradient (false)',
    resolution: 'side of the images (256)',
    batch_size: 'images in a batch (4)',
    accumulation_steps: 'batches of an update (1)',
    precision: 'float32, mixed_bfloat16 or mixed_float16 (float32)',
    execution: 'graph or eager (graph)',
    device: 'auto, cpu or gpu (auto)',
    deterministic: 'one thread, bit-equal repeats (false)',
    seed: 'of weights and noise (42)',
    weights: 'a safetensors file to begin with (as the seed has it)',
    steps: 'steps that are timed (10)',
  };
  return Object.fromEntries(Object.entries(help).map(([key, text]) => [key, `${bench}: ${text}`]));
}

/** Keys that several benches take have the help of each. */
function mergeKeys(each: readonly Record<string, string>[]): Record<string, string> {
  const merged: Record<string, string> = {};
  for (const [key, help] of each.flatMap((keys) => Object.entries(keys))) {
    merged[key] = merged[key] === undefined ? help : `${merged[key]}; ${help}`;
  }
  return merged;
}
