import { markdownTable } from '../pages/markdown.ts';
import { counted } from '../pages/numbers.ts';
import type { ComparedSet, Comparison } from './comparison.ts';
import {
  differenceTable,
  disagreementTable,
  errorsTable,
  parametersTable,
  runsTable,
  seedsTable,
} from './comparison-tables.ts';

/** How much is shown: contenders of the tables of differences, and images. */
export interface Shown {
  contenders: number;
  images: number;
}

/** A comparison for reading in an editor or a review. */
export function comparisonMarkdown(comparison: Comparison, shown: Shown): string {
  const { runs, parameters, metric, sets } = comparison;
  const parts = [
    `# ${counted(runs.length, 'run')} compared`,
    `Sorted by ${metric}; figures are those of the chosen checkpoint, at threshold 0.5 without post-processing.`,
    markdownTable(runsTable(comparison)),
    ...(parameters.length > 0 ? ['## Parameters that differ', markdownTable(parametersTable(comparison))] : []),
    ...sets.flatMap((set) => setMarkdown(set, metric, shown)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function setMarkdown(set: ComparedSet, metric: string, shown: Shown): string[] {
  const seeds = seedsTable(set, metric);
  const heading = `## On the same ${counted(set.ids.length, 'image')}`;
  const seedParts = seeds === undefined ? [] : ['### Seeds', markdownTable(seeds)];
  if (set.contenders.length < 2) {
    return set.runs.length < 2 ? [] : [heading, ...seedParts];
  }
  return [
    heading,
    introduceSet(set, shown),
    markdownTable(differenceTable(set, shown.contenders)),
    markdownTable(errorsTable(set, shown.contenders)),
    ...seedParts,
    '### Where they disagree most',
    markdownTable(disagreementTable(set, shown.images)),
  ];
}

/** What is held against what, and how it is drawn. */
export function introduceSet({ baseline, patients, contenders }: ComparedSet, shown: Shown): string {
  const from = patients.from.length === 0 ? '' : ` (${patients.from.join(', ')})`;
  const alone =
    patients.unknown === 0
      ? ''
      : ` ${counted(patients.unknown, 'image')} without a known patient ${patients.unknown === 1 ? 'stands' : 'stand'} alone.`;
  const left = contenders.length - 1 - shown.contenders;
  const more =
    left > 0 ? ` The best ${shown.contenders} are shown, ${left} more ${left === 1 ? 'is' : 'are'} not.` : '';
  return (
    `Held against ${baseline.label}: positive differences are better than it. Intervals and probabilities by a paired bootstrap ` +
    `of ${counted(patients.count, 'patient')}${from}, all images of a patient drawn together.${alone}${more}`
  );
}
