import { stringify } from 'yaml';
import type { Estimate } from '../../metrics/bootstrap.ts';
import { type Html, html } from '../../pages/html.ts';
import { intervalChart } from '../../pages/interval-chart.ts';
import { count, counted, decimal, range, signed } from '../../pages/numbers.ts';
import { card, notice, page, type Section, sideBySide } from '../../pages/page.ts';
import { table } from '../../pages/table.ts';
import { describePostprocess, type PostprocessConfig } from '../../postprocess/index.ts';
import { gatePlot, plateauPlot } from './plots.ts';
import { idleSteps, type TuneReport } from './report.ts';

/** What each step does, for the table of gains. */
const STEP_WORDS: Record<string, string> = {
  plain: 'Probabilities above 0.5, one view',
  tta: 'Views of each image (TTA)',
  weights: 'Weights of the members',
  threshold: 'Threshold',
  min_component_area: 'Least area of a component',
  largest_components: 'Largest components alone',
  fill_holes: 'Holes filled',
  triplet: 'Triplet',
  gate: 'Gate',
};

/** A step's name for reading. */
export function stepWords(step: string): string {
  return STEP_WORDS[step] ?? step;
}

/** The page of a tuning: what to use, what it is worth, and where the points are lost. */
export async function tunePage(report: TuneReport, file: string): Promise<string> {
  const { name, images, positives, patients, members, dice, optimistic, limits, parts } = report;
  return page({
    title: name,
    kind: 'Tuning',
    lead: html`${members.map(({ run_id, checkpoint }) => `${run_id} (${checkpoint})`).join(', ')}, on the ${count(images)} images that they
were validated on (${count(positives)} with a mask, ${patients > 0 ? counted(patients, 'patient') : 'patients unknown'}).`,
    tiles: [
      { label: 'Dice', value: decimal(dice.mean, 4), note: `95 %: ${range(dice)}` },
      { label: 'Optimistic', value: decimal(optimistic, 4), note: 'on the images it was tuned on' },
      { label: 'With a perfect gate', value: decimal(limits.perfect_gate.mean, 4) },
      { label: 'With a perfect segmenter', value: decimal(limits.perfect_segmenter.mean, 4) },
    ],
    sections: [settings(report, file), await gains(report), await plateau(report), losses(report), stability(report)],
    footer: html`Every figure but the optimistic one and the pictures is cross-fitted: images are cut into ${parts.length} parts, a
patient's in one of them, and each part is scored by what was found on all others. Intervals draw patients anew (bootstrap).
Components are 8-connected, areas are pixels at 1024².`,
  });
}

function settings({ postprocess, weights, members }: TuneReport, file: string): Section {
  const several = members.length > 1;
  const written = stringify({ postprocess }, { flowCollectionPadding: true });
  return {
    id: 'settings',
    heading: 'What to use',
    content: sideBySide(
      card(
        'By reference',
        html`<pre>postprocess: { from: ${file} }</pre>`,
        several &&
          html`<p>With the same members in the same order, without weights of their own, it brings their weights too: ${weights.join(' : ')}.</p>`,
      ),
      card('By hand', html`<pre>${written}</pre>`),
    ),
  };
}

async function gains(report: TuneReport): Promise<Section> {
  const { rungs } = report;
  const columns = ['Step', 'Dice', '95 % interval', 'Gain', '95 % interval', 'Probably a gain', 'Optimistic'];
  const rows = rungs.map(({ step, dice, gain, optimistic }) => [
    stepWords(step),
    decimal(dice.mean, 4),
    range(dice),
    gain === undefined ? '' : signed(gain.mean),
    gain === undefined ? '' : range(gain, signed),
    gain === undefined ? '' : `${(100 * gain.probability).toFixed(0)} %`,
    decimal(optimistic, 4),
  ]);
  return {
    id: 'gains',
    heading: 'What each step is worth',
    content: [
      describeIdle(report),
      card('Gain over the steps before', await chartGains(rungs)),
      table({
        caption: 'Steps one after another, each tuned together with those before it; gains are paired, image by image',
        columns: columns.map((heading, place) => ({ heading, numeric: place > 0 })),
        rows,
      }),
    ],
  };
}

/** What could as well be left out. */
function describeIdle(report: TuneReport): Html | false {
  const { idle, others } = idleSteps(report);
  if (idle.length === 0) return false;
  const again = others.length > 0 && html` <code>steps=${others.join(',')}</code> tunes without.`;
  return notice(
    'odd',
    `On images that they were not found on, these gain nothing: ${idle.map(stepWords).join('; ')}.`,
    again,
  );
}

async function chartGains(rungs: TuneReport['rungs']): Promise<Html> {
  return await intervalChart({
    caption: 'Gain of Dice by step, with 95 % intervals',
    axis: 'gain of Dice',
    intervals: rungs.flatMap(({ step, gain }) => (gain === undefined ? [] : [{ name: stepWords(step), ...gain }])),
    zero: true,
  });
}

async function plateau(report: TuneReport): Promise<Section> {
  const { gate } = report.plateau;
  const picture = card('Mean Dice over threshold and least area', await plateauPlot(report));
  const content = gate.length === 0 ? picture : sideBySide(picture, card('Over the gate', await gatePlot(report)));
  return {
    id: 'plateau',
    heading: 'The plateau',
    content: [
      html`<p>All other settings as found; optimistic. A setting on a wide plateau holds on other images, a lonely peak is chance. The mark
is what was found.</p>`,
      content,
    ],
  };
}

function losses({ dice, limits, dice_positive, dice_empty }: TuneReport): Section {
  const row = (what: string, estimate: Estimate, missing: string) => [
    what,
    decimal(estimate.mean, 4),
    range(estimate),
    missing,
  ];
  const distance = (limit: Estimate) => signed(limit.mean - dice.mean);
  return {
    id: 'losses',
    heading: 'Where the points are lost',
    content: table({
      caption: 'What the same masks would score, were one of the two decisions perfect',
      columns: ['', 'Dice', '95 % interval', 'Distance'].map((heading, place) => ({ heading, numeric: place > 0 })),
      rows: [
        row('As tuned', dice, ''),
        row('on images with a mask', dice_positive, ''),
        row('on empty images', dice_empty, ''),
        row('Perfect gate: which images are empty is known', limits.perfect_gate, distance(limits.perfect_gate)),
        row(
          'Perfect segmenter: masks that are drawn are true',
          limits.perfect_segmenter,
          distance(limits.perfect_segmenter),
        ),
      ],
    }),
  };
}

function stability({ parts, weights, postprocess, optimistic, images, members }: TuneReport): Section {
  const several = members.length > 1;
  const cells = (label: string, many: number, score: number, shares: readonly number[], config: unknown) => [
    ...[label, count(many), decimal(score, 4)],
    ...(several ? [shares.join(' : ')] : []),
    describePostprocess(config as PostprocessConfig),
  ];
  const columns = ['Found without', 'Images', 'Dice on them', ...(several ? ['Weights'] : []), 'Settings'];
  const spread = new Set(parts.map((part) => describePostprocess(part.postprocess as PostprocessConfig))).size;
  return {
    id: 'stability',
    heading: 'How stable it is',
    content: [
      spread === 1 && notice('good', 'Whichever part is left out, the same settings are found.'),
      table({
        caption: 'What is found without each part, and what it scores there',
        columns: columns.map((heading, place) => ({ heading, numeric: place === 1 || place === 2 })),
        rows: [
          ...parts.map((part, place) => {
            return cells(`part ${place + 1}`, part.images, part.dice, part.weights, part.postprocess);
          }),
          cells('nothing (optimistic)', images, optimistic, weights, postprocess),
        ],
      }),
    ],
  };
}
