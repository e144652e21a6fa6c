import { resolve } from 'node:path';
import Table from 'cli-table3';
import { expected, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import { type SubmissionScore, scoreSubmission } from '../submit/score.ts';
import type { Command } from './command.ts';

/** `npm run score <submission.csv> truth=<rle.csv>`: the competition's metric, offline. */
export const scoreCommand: Command = {
  name: 'score',
  summary: 'compute the competition’s metric offline',
  usage: '<submission.csv> truth=<rle.csv> [strict=false]',
  keys: {
    truth: 'the label file to score against, in any of its dialects',
    strict: 'false: leave images without truth out and exit with 3; default true: refuse them',
  },
  overrides: false,
  run: async ({ words, values, cwd }, terminal) => {
    if (values.truth === undefined) throw new UserError('Name the label file: `npm run score <csv> truth=<rle.csv>`.');
    const strict = readStrict(values.strict);
    const score = await scoreSubmission(resolve(cwd, words[0]!), resolve(cwd, values.truth), strict);
    if (score.skipped > 0) terminal.warn(`${score.skipped} images have no truth and were left out.`);
    sayScore(score, terminal);
    return { json: { ...score }, exitCode: score.skipped > 0 ? 3 : 0 };
  },
};

/** Shows what masks score beside what a submission without any mask would. */
export function sayScore(score: Omit<SubmissionScore, 'skipped'>, terminal: Terminal): void {
  const table = new Table({ style: { head: [], border: [] }, colAligns: ['left', 'right', 'right'] });
  const row = (label: string, images: number, value: number) =>
    table.push([label, images, Number.isNaN(value) ? '–' : value.toFixed(4)]);
  table.push(['', 'images', 'mean']);
  row('Dice', score.images, score.dice);
  row('Dice on positives', score.positives, score.dice_positive);
  row('Dice on empty images', score.images - score.positives, score.dice_empty);
  row('IoU', score.images, score.iou);
  row('Dice of no mask at all', score.images, score.dice_all_empty);
  terminal.say(table.toString());
}

function readStrict(text = 'true'): boolean {
  if (text !== 'true' && text !== 'false') throw new UserError(expected('true or false', 'strict', text));
  return text === 'true';
}
