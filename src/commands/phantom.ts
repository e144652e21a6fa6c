import { relative, resolve } from 'node:path';
import { writePhantom } from '../data/phantom/index.ts';
import type { Command } from './command.ts';
import { readWhole } from './values.ts';

const KEYS = {
  out: 'the folder to make (data/phantom)',
  images: 'labelled images to train on; the test sets are in proportion (240)',
  seed: 'the same seed gives the same bytes (42)',
};

/** `npm run phantom`: a synthetic competition, for trying everything without the real data. */
export const phantomCommand: Command = {
  name: 'phantom',
  summary: 'write a synthetic competition',
  usage: '[out=data/phantom] [images=240] [seed=42]',
  keys: KEYS,
  overrides: false,
  async run({ values, cwd, signal }, terminal) {
    const root = resolve(cwd, values.out ?? 'data/phantom');
    const images = readWhole('images', values.images ?? '240', 0);
    const seed = readWhole('seed', values.seed ?? '42', 0);
    const summary = await writePhantom({ root, images, seed, signal }, terminal);
    const shown = relative(cwd, root) || '.';
    terminal.say(
      `${shown}: ${summary.trainImages} images to train on, ${summary.testImages} in stage 1's test, ` +
        `${summary.stage2Images} in stage 2; ${summary.positives} with a pneumothorax.`,
    );
    terminal.say(`Next: npm run ingest data=${shown}`);
    return { json: { root, ...summary } };
  },
};
