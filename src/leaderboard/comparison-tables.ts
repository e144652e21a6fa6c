import type { Difference } from '../metrics/bootstrap.ts';
import { count, counted, decimal, range, signed } from '../pages/numbers.ts';
import type { Table } from '../pages/table.ts';
import type { ComparedRun, ComparedSet, Comparison } from './comparison.ts';
import { findDisagreements, seenContenders } from './disagreements.ts';

/** A table of plain text, for a page, for Markdown and for a terminal. */
export type PlainTable = Omit<Table, 'rows'> & { rows: readonly (readonly string[])[] };

/** What every run's row shows of its metrics, whatever it is sorted by. */
const SHOWN = [
  { key: 'val/dice_positive', heading: 'On positives' },
  { key: 'val/dice_empty', heading: 'On empties' },
  { key: 'val/iou', heading: 'IoU' },
  { key: 'val/loss', heading: 'Loss' },
];

/** The runs, the best first. */
export function runsTable({ runs, metric }: Comparison): PlainTable {
  const shown = SHOWN.filter(({ key }) => runs.some(({ metrics }) => metrics[key] !== undefined));
  const asked = metric === 'val/dice' || shown.some(({ key }) => key === metric) ? [] : [metric];
  const numeric = true;
  return {
    caption: 'Runs',
    columns: [
      { heading: 'Run' },
      ...asked.map((heading) => ({ heading, numeric })),
      ...['Dice', '95 % interval', ...shown.map(({ heading }) => heading), 'Epochs'].map((heading) => ({
        heading,
        numeric,
      })),
      { heading: 'Checkpoint' },
      { heading: 'Status' },
    ],
    rows: runs.map(({ run, metrics, dice, checkpoint, parts }) => [
      run.run_id,
      ...asked.map((key) => decimal(metrics[key], 4)),
      decimal(metrics['val/dice'], 4),
      dice === undefined ? '–' : range(dice),
      ...shown.map(({ key }) => decimal(metrics[key], 4)),
      epochsOf(parts[0]?.run.record ?? run.record),
      parts.length > 0 ? `${parts.length} folds` : (checkpoint ?? '–'),
      run.status,
    ]),
  };
}

/** The parameters that differ: a row for each while runs are few, else a row for each run. */
export function parametersTable({ runs, parameters }: Comparison): PlainTable {
  const cell = (value: string | undefined) => value ?? '–';
  const ids = runs.map(({ run }) => run.run_id);
  if (runs.length <= 4) {
    return {
      caption: 'Parameters that differ',
      columns: ['Parameter', ...ids].map((heading) => ({ heading })),
      rows: parameters.map(({ key, values }) => [key, ...values.map(cell)]),
    };
  }
  return {
    caption: 'Parameters that differ',
    columns: ['Run', ...parameters.map(({ key }) => key)].map((heading) => ({ heading })),
    rows: ids.map((id, run) => [id, ...parameters.map(({ values }) => cell(values[run]))]),
  };
}

/** How much better than the baseline each contender is; the first `most` of them, on all images alone or on each part too. */
export function differenceTable(
  { contenders, positive }: ComparedSet,
  most: number,
  which: 'all images' | 'every part' = 'every part',
): PlainTable {
  const positives = positive.filter(Boolean).length;
  const every = [
    { key: 'dice', name: `all ${count(positive.length)}` },
    { key: 'dice_positive', name: counted(positives, 'positive') },
    { key: 'dice_empty', name: counted(positive.length - positives, 'empty', 'empties') },
  ] as const;
  const parts = which === 'all images' ? every.slice(0, 1) : every;
  const compared = contenders.filter(({ difference }) => difference !== undefined).slice(0, most);
  return {
    caption: 'Differences in Dice',
    columns: [
      { heading: 'Run' },
      { heading: 'Images' },
      { heading: 'Difference', numeric: true },
      { heading: '95 % interval', numeric: true },
      { heading: 'Which is' },
    ],
    rows: compared.flatMap(({ label, difference }) =>
      parts.map(({ key, name }) => {
        const of = difference![key];
        return [label, name, signed(of.mean), range(of, signed), verdict(of)];
      }),
    ),
  };
}

/** What the difference means, in words: `better with 97.4 %`. */
export function verdict({ probability }: Difference): string {
  if (Number.isNaN(probability)) return '–';
  if (probability === 0.5) return 'even';
  const share = 100 * Math.max(probability, 1 - probability);
  // As many replicates as are drawn tell no more.
  return `${probability > 0.5 ? 'better' : 'worse'} with ${share > 99.9 ? 'over 99.9' : share.toFixed(1)} %`;
}

/** What each contender does wrong: masks on empty images, none on positive ones. */
export function errorsTable({ contenders, positive }: ComparedSet, most: number): PlainTable {
  const positives = positive.filter(Boolean).length;
  const whole = (value: number) => (Number.isInteger(value) ? String(value) : value.toFixed(1));
  return {
    caption: 'False alarms and missed masks',
    columns: [
      { heading: 'Run' },
      { heading: `False alarms (of ${positive.length - positives})`, numeric: true },
      { heading: `Missed (of ${positives})`, numeric: true },
    ],
    rows: contenders.slice(0, most).map(({ label, falseAlarms, missed }) => [label, whole(falseAlarms), whole(missed)]),
  };
}

/** Runs that differ in their seed alone, and how far the metric spreads over them; undefined where there are none. */
export function seedsTable({ contenders }: ComparedSet, metric: string): PlainTable | undefined {
  const groups = contenders.filter(({ spread }) => spread !== undefined);
  if (groups.length === 0) return undefined;
  return {
    caption: 'Runs that differ in their seed alone',
    columns: [
      { heading: 'Run' },
      { heading: 'Seeds' },
      { heading: `Mean of ${metric}`, numeric: true },
      { heading: 'Standard deviation', numeric: true },
      { heading: 'Least to most', numeric: true },
    ],
    rows: groups.map(({ label, runs, spread }) => [
      label,
      runs.map(({ run }) => run.record.params.seed ?? '–').join(', '),
      decimal(spread!.mean, 4),
      decimal(spread!.deviation, 4),
      range({ low: spread!.least, high: spread!.most }),
    ]),
  };
}

/** Where contenders are farthest apart. */
export function disagreementTable(set: ComparedSet, most: number): PlainTable {
  const seen = seenContenders(set);
  return {
    caption: 'Where they disagree most',
    columns: [
      { heading: 'Image' },
      { heading: 'Truth' },
      ...seen.map(({ label }) => ({ heading: label, numeric: true })),
    ],
    rows: findDisagreements(set, most).map(({ id, positive, dice }) => [
      id,
      positive ? 'a mask' : 'empty',
      ...dice.map((each) => decimal(each, 4)),
    ]),
  };
}

function epochsOf({ epochs, params }: ComparedRun['run']['record']): string {
  const done = epochs.at(-1)?.epoch ?? 0;
  return params.epochs === undefined || params.epochs === String(done) ? String(done) : `${done} of ${params.epochs}`;
}
