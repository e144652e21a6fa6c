import type { Html } from '../pages/html.ts';
import { type Curve, lineChart } from '../pages/line-chart.ts';
import { card, sideBySide } from '../pages/page.ts';
import type { RunSummary } from '../tracking/runs.ts';

/** What is drawn over epochs, where the runs have it. */
const CURVES = [
  { key: 'val/dice', heading: 'Validation Dice', digits: 4 },
  { key: 'val/loss', heading: 'Validation loss', digits: 4 },
  { key: 'val/dice_positive', heading: 'Dice on positives', digits: 4 },
  { key: 'val/dice_empty', heading: 'Dice on empty images', digits: 4 },
  { key: 'train/loss', heading: 'Training loss, mean of the epoch', digits: 4 },
];

/** Curves of a few runs over their epochs, one plot for each figure. */
export async function learningCurves(runs: readonly RunSummary[]): Promise<Html> {
  const names = runs.map(({ name, run_id }) => (runs.filter((run) => run.name === name).length === 1 ? name : run_id));
  const cards: Html[] = [];
  for (const { key, heading, digits } of CURVES) {
    const curves = runs.map(({ record }, place): Curve => ({ name: names[place]!, points: pointsOf(record, key) }));
    if (curves.every(({ points }) => points.length === 0)) continue;
    const caption = `${heading} by epoch`;
    cards.push(card(heading, await lineChart({ caption, x: 'epoch', y: heading.split(',')[0]!, curves, digits })));
  }
  return sideBySide(...cards);
}

function pointsOf({ epochs }: RunSummary['record'], key: string): Curve['points'] {
  return epochs.flatMap(({ epoch, values }) => (values[key] === undefined ? [] : [{ x: epoch, y: values[key] }]));
}
