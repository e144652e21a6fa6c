import type { Html } from '../pages/html.ts';
import { type Curve, lineChart } from '../pages/line-chart.ts';
import { card, sideBySide } from '../pages/page.ts';
import type { RunSummary } from '../tracking/runs.ts';

/** What is drawn over epochs to compare runs, where they have it. */
const CURVES = [
  { key: 'val/dice', heading: 'Validation Dice', digits: 4 },
  { key: 'val/loss', heading: 'Validation loss', digits: 4 },
  { key: 'val/dice_positive', heading: 'Dice on positives', digits: 4 },
  { key: 'val/dice_empty', heading: 'Dice on empty images', digits: 4 },
  { key: 'train/loss', heading: 'Training loss, mean of the epoch', digits: 4 },
];

/**
 * Curves of a few runs over their epochs, one plot for each figure.
 * @param which `main`: what runs are compared by; `all`: whatever else they logged too.
 */
export async function learningCurves(runs: readonly RunSummary[], which: 'main' | 'all' = 'main'): Promise<Html> {
  const names = runs.map(({ name, run_id }) => (runs.filter((run) => run.name === name).length === 1 ? name : run_id));
  const cards: Html[] = [];
  for (const { key, heading, digits } of which === 'all' ? [...CURVES, ...otherCurves(runs)] : CURVES) {
    const curves = runs.map(({ record }, place): Curve => ({ name: names[place]!, points: pointsOf(record, key) }));
    if (curves.every(({ points }) => points.length === 0)) continue;
    const caption = `${heading} by epoch`;
    cards.push(card(heading, await lineChart({ caption, x: 'epoch', y: heading.split(',')[0]!, curves, digits })));
  }
  return sideBySide(...cards);
}

/** What is the same in every epoch. */
const CONSTANT = 'val/dice_all_empty';

/** What was logged beside those, by its own name, where it has more than one point (averages are validated once). */
function otherCurves(runs: readonly RunSummary[]): typeof CURVES {
  const counts = new Map<string, number>();
  for (const { values } of runs.flatMap(({ record }) => record.epochs)) {
    for (const key of Object.keys(values)) counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const known = new Set([...CURVES.map(({ key }) => key), CONSTANT]);
  const others = [...counts].flatMap(([key, count]) => (known.has(key) || count <= runs.length ? [] : [key])).sort();
  return others.map((key) => ({
    key,
    heading: key.startsWith('val/') ? key : `${key}, mean of the epoch`,
    digits: key === 'lr' ? 8 : 4,
  }));
}

function pointsOf({ epochs }: RunSummary['record'], key: string): Curve['points'] {
  return epochs.flatMap(({ epoch, values }) => (values[key] === undefined ? [] : [{ x: epoch, y: values[key] }]));
}
