import Table from 'cli-table3';
import type { Terminal } from '../core/terminal.ts';
import type { Difference, Estimate } from '../metrics/bootstrap.ts';
import { faultOf } from '../metrics/confusion.ts';
import type { ScoreSummary } from '../metrics/dice.ts';
import { counted, range, signed } from '../pages/numbers.ts';
import { listProblems } from '../submit/check.ts';
import type { ScoredImage, SubmissionScore } from '../submit/score.ts';
import type { ScoreDifference } from '../submit/score-difference.ts';

/** Shows what masks score, with 95 % intervals where they are known, beside what a submission without any mask would. */
export function sayScore(
  score: ScoreSummary,
  terminal: Terminal,
  more?: Pick<SubmissionScore, 'intervals' | 'confusion'>,
): void {
  const table = plainTable(['', 'images', 'mean', ...(more === undefined ? [] : ['95 % interval'])]);
  const row = (label: string, images: number, value: number, interval?: Estimate) =>
    table.push([label, images, show(value), ...(more === undefined ? [] : [interval ? range(interval) : ''])]);
  row('Dice', score.images, score.dice, more?.intervals.dice);
  row('Dice on positives', score.positives, score.dice_positive, more?.intervals.dice_positive);
  row('Dice on empty images', score.images - score.positives, score.dice_empty, more?.intervals.dice_empty);
  row('IoU', score.images, score.iou, more?.intervals.iou);
  row('Dice of no mask at all', score.images, score.dice_all_empty);
  terminal.say(table.toString());
  if (more !== undefined) sayConfusion(more.confusion, terminal);
}

function sayConfusion(
  { found, missed, false_alarms: alarms, both_empty: empty }: SubmissionScore['confusion'],
  terminal: Terminal,
) {
  const table = plainTable(['', 'predicted a mask', 'predicted none']);
  table.push(['has a mask', found, missed], ['has none', alarms, empty]);
  terminal.say(table.toString());
}

/** Says what was left out, and what has no row. */
export function sayFaults({ skipped, broken, missing, unscored }: SubmissionScore, terminal: Terminal): void {
  if (broken.length > 0) {
    terminal.warn(
      `${counted(broken.length, 'row is', 'rows are')} broken; their images were left out:\n${listProblems(broken)}`,
    );
  }
  if (skipped > 0) terminal.warn(`${counted(skipped, 'image has', 'images have')} no truth and were left out.`);
  if (missing !== undefined && missing.length > 0) {
    const named = `${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', …' : ''}`;
    terminal.warn(`${counted(missing.length, 'image')} of the sample without a row: ${named}`);
  }
  if (missing === undefined && unscored > 0) {
    terminal.warn(
      `${counted(unscored, 'image')} of the truth without a row. Where all should have one, sample=<csv> says which are missing.`,
    );
  }
}

/** Shows how much better the second submission is. */
export function sayDifference(difference: ScoreDifference, terminal: Terminal): void {
  const table = plainTable(['second − first', 'difference', '95 % interval', 'second is better with']);
  const row = (label: string, of: Difference) =>
    table.push([
      label,
      signed(of.mean),
      range(of, signed),
      Number.isNaN(of.probability) ? '–' : `${(100 * of.probability).toFixed(1)} %`,
    ]);
  row('Dice', difference.dice);
  row('Dice on positives', difference.dice_positive);
  row('Dice on empty images', difference.dice_empty);
  const { images, better, worse } = difference;
  terminal.say(`\n${counted(images, 'image')} compared: better on ${better}, worse on ${worse}`);
  terminal.say(table.toString());
}

/** Lists the images that cost most. */
export function sayWorst(images: readonly ScoredImage[], terminal: Terminal): void {
  if (images.length === 0) return;
  const table = plainTable(['worst images', 'Dice', 'true pixels', 'predicted', '']);
  for (const image of images) {
    const { id, dice, truthArea, predictedArea } = image;
    table.push([id, show(dice), truthArea, predictedArea, faultOf(image)]);
  }
  terminal.say(table.toString());
}

function plainTable(head: string[]) {
  const table = new Table({
    style: { head: [], border: [] },
    colAligns: head.map((_, place) => (place === 0 ? 'left' : 'right')),
  });
  table.push(head);
  return table;
}

function show(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(4);
}
