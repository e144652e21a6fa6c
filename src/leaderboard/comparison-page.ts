import type { Terminal } from '../core/terminal.ts';
import { type Html, html } from '../pages/html.ts';
import { intervalChart } from '../pages/interval-chart.ts';
import { MOST_CURVES } from '../pages/line-chart.ts';
import { counted, decimal, signed } from '../pages/numbers.ts';
import { card, page, type Section, sideBySide, type Tile } from '../pages/page.ts';
import { foldedTable, table } from '../pages/table.ts';
import type { ComparedSet, Comparison } from './comparison.ts';
import { introduceSet, type Shown } from './comparison-markdown.ts';
import {
  differenceTable,
  errorsTable,
  type PlainTable,
  parametersTable,
  runsTable,
  seedsTable,
  verdict,
} from './comparison-tables.ts';
import { disagreementPictures } from './disagreement-pictures.ts';
import { findDisagreements } from './disagreements.ts';
import { learningCurves } from './learning-curves.ts';

/** The page of a comparison: everything that is known, with curves and pictures, in one file. */
export async function comparisonPage(
  comparison: Comparison,
  shown: Shown,
  cwd: string,
  terminal: Terminal,
): Promise<string> {
  const { runs, parameters, metric, sets } = comparison;
  const best = runs[0]!.run.run_id;
  const sections: Section[] = [
    { id: 'runs', heading: 'Runs', content: card(`By ${metric}`, shortened(runsTable(comparison), shown)) },
  ];
  if (parameters.length > 0) {
    const content = card('In the same order', shortened(parametersTable(comparison), shown));
    sections.push({ id: 'parameters', heading: 'Parameters that differ', content });
  }
  for (const [place, set] of sets.entries()) {
    if (set.runs.length < 2) continue;
    sections.push(await setSection(set, `set-${place + 1}`, metric, shown));
    if (set.contenders.length < 2) continue;
    const images = findDisagreements(set, shown.images);
    const content = await disagreementPictures(set, images, cwd, terminal);
    const lead = html`<p>The truth in orange, predictions in blue; the images whose best and worst Dice are farthest apart come first.</p>`;
    sections.push({ id: `images-${place + 1}`, heading: 'Where they disagree', content: [lead, content] });
  }
  const trained = runs.map(({ run }) => run).filter(({ record }) => record.epochs.length > 0);
  const curves = await learningCurves(trained.slice(0, MOST_CURVES));
  sections.push({ id: 'curves', heading: 'Learning curves', content: curves });
  return page({
    title: runs.length === 1 ? best : `${runs.length} runs`,
    kind: 'Comparison',
    lead: html`Figures are those of each run’s chosen checkpoint on its validation images: mean Dice at 1024², threshold 0.5, without
test-time augmentation or post-processing.`,
    tiles: tilesOf(comparison),
    sections,
    footer: html`Intervals hold the true value for 95 % of such validation sets, drawn by patient; what another seed would do they do not
know.`,
  });
}

async function setSection(set: ComparedSet, id: string, metric: string, shown: Shown): Promise<Section> {
  const seeds = seedsTable(set, metric);
  const seedCard = seeds === undefined ? html`` : card('Runs that differ in their seed alone', table(seeds));
  const heading = `On the same ${counted(set.ids.length, 'image')}`;
  if (set.contenders.length < 2) return { id, heading, content: seedCard };
  const compared = set.contenders.filter(({ difference }) => difference !== undefined).slice(0, shown.contenders);
  const chart = await intervalChart({
    caption: `Difference in Dice to ${set.baseline.label}, with 95 % intervals`,
    axis: 'difference in Dice, all images',
    intervals: compared.map(({ label, difference }) => ({ name: label, ...difference!.dice })),
    zero: true,
  });
  return {
    id,
    heading,
    content: [
      html`<p>${introduceSet(set, shown)}</p>`,
      sideBySide(card('All images', chart), tableCard(errorsTable(set, shown.contenders))),
      tableCard(differenceTable(set, shown.contenders)),
      seedCard,
    ],
  };
}

/** The first rows, and all of them folded away where there are more. */
function shortened(content: PlainTable, { contenders: most }: Shown): Html {
  const { rows } = content;
  if (rows.length <= most) return table(content);
  return html`${table({ ...content, rows: rows.slice(0, most) })}${foldedTable(content, `All ${rows.length}`)}`;
}

function tableCard(content: PlainTable): Html {
  return card(content.caption, table(content));
}

function tilesOf({ runs, metric, sets }: Comparison): Tile[] {
  const [first] = runs;
  const closest = sets.flatMap(({ contenders }) => contenders).find(({ difference }) => difference !== undefined);
  return [
    { label: 'Runs', value: String(runs.length) },
    { label: `Best ${metric}`, value: decimal(first?.metrics[metric], 4), note: first!.run.run_id },
    ...(closest?.difference === undefined
      ? []
      : [
          {
            label: 'Next to the baseline',
            value: signed(closest.difference.dice.mean),
            note: `${closest.label}: ${verdict(closest.difference.dice)}`,
          },
        ]),
  ];
}
