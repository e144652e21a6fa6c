import { relative } from 'node:path';
import { parseExperiment } from '../config/experiment.ts';
import { readSettings } from '../config/settings.ts';
import { expected, UserError } from '../core/errors.ts';
import { findLr, type LrRange } from '../train/find-lr.ts';
import { showRate } from '../train/lr-page.ts';
import type { Command } from './command.ts';
import { preparePhantom } from './prepare-phantom.ts';

/** `npm run lr-find <experiment.yml>`: the learning rate to begin with, by trying many. */
export const lrFindCommand: Command = {
  name: 'lr-find',
  summary: 'try growing learning rates on an experiment, and plot the loss over them',
  usage: '<experiment.yml> [key=value …]',
  keys: {
    from: 'the first rate (1e-7)',
    to: 'the last rate (1)',
    updates: 'in so many updates, unless the loss explodes before (100)',
  },
  overrides: true,
  run: async ({ words, values: typed, cwd, signal }, terminal) => {
    const { from, to, updates, ...values } = typed;
    const [file, ...more] = words;
    if (file === undefined || more.length > 0) {
      throw new UserError('Name one experiment: `npm run lr-find experiments/quickstart.yml`.');
    }
    const range = readRange({ from, to, updates });
    const settings = await readSettings(cwd);
    const experiment = await parseExperiment(file, values, cwd);
    await preparePhantom(experiment, { cwd, signal }, terminal);
    const found = await findLr(experiment, range, { cwd, settings, signal }, terminal);
    terminal.say(`\nfalls fastest at ${showRate(found.steepest)}, lowest at ${showRate(found.lowest)}`);
    terminal.say(`plot             ${relative(cwd, found.page)}`);
    terminal.say(`Next: npm run exp ${file} lr_schedule.lr=${showRate(found.suggestion)}`);
    return { json: { ...found } };
  },
};

function readRange({
  from = '1e-7',
  to = '1',
  updates = '100',
}: Record<'from' | 'to' | 'updates', string | undefined>): LrRange {
  const [low, high] = [readRate('from', from), readRate('to', to)];
  if (low >= high) throw new UserError(expected(`more than from (${low})`, 'to', to));
  if (!/^[1-9]\d{0,5}$/.test(updates) || Number(updates) < MOST_FEW) {
    throw new UserError(expected(`a whole number from ${MOST_FEW}`, 'updates', updates));
  }
  return { from: low, to: high, updates: Number(updates) };
}

/** Fewer rates make no curve. */
const MOST_FEW = 10;

function readRate(key: string, text: string): number {
  const rate = text.trim() === '' ? Number.NaN : Number(text);
  if (rate > 0 && Number.isFinite(rate)) return rate;
  throw new UserError(expected('a rate above 0', key, text));
}
