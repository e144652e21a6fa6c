import type { Terminal } from '../core/terminal.ts';
import { createBootstrap, type Estimate } from '../metrics/bootstrap.ts';
import { type Confusion, countKinds, faultOf } from '../metrics/confusion.ts';
import type { ImageScore } from '../metrics/dice.ts';
import { histogram } from '../pages/charts.ts';
import { type Html, html } from '../pages/html.ts';
import { MOST_CURVES } from '../pages/line-chart.ts';
import { count, counted, decimal, range } from '../pages/numbers.ts';
import { card, notice, page, type Section, sideBySide, type Tile } from '../pages/page.ts';
import { pictures } from '../pages/picture.ts';
import { table } from '../pages/table.ts';
import { openImages, openMasks } from './image-pictures.ts';
import { learningCurves } from './learning-curves.ts';
import type { Patients } from './patients.ts';
import { drawImage } from './picture-of-image.ts';
import type { ScoredRun } from './run-scores.ts';
import { thresholdCurves } from './threshold-curves.ts';

/** What a run comes to, image by image. */
export interface RunFigures {
  /** Means with their 95 % intervals; undefined where the run keeps no scores of its images. */
  intervals: Record<'dice' | 'dice_positive' | 'dice_empty' | 'iou', Estimate> | undefined;
  confusion: Confusion | undefined;
  /** The images that cost most, the worst first. */
  worst: ImageScore[];
}

/** Computes what the page shows of a run's images. */
export function describeImages({ images }: ScoredRun, patients: Patients, most: number): RunFigures {
  if (images === undefined) return { intervals: undefined, confusion: undefined, worst: [] };
  const bootstrap = createBootstrap(
    images.map(({ id }) => (patients.of.has(id) ? `patient ${patients.of.get(id)}` : `image ${id}`)),
  );
  const dice = images.map((image) => image.dice);
  const positive = images.map((image) => image.positive);
  const empty = positive.map((each) => !each);
  return {
    intervals: {
      dice: bootstrap.mean(dice),
      dice_positive: bootstrap.mean(dice, positive),
      dice_empty: bootstrap.mean(dice, empty),
      iou: bootstrap.mean(images.map(({ iou }) => iou)),
    },
    confusion: countKinds(images),
    worst: [...images]
      .filter((image) => image.dice < 1)
      .sort((a, b) => a.dice - b.dice || (a.id < b.id ? -1 : 1))
      .slice(0, most),
  };
}

/** A run's own page: figures, curves, the images that cost most, and everything it was declared with, in one file. */
export async function runPage(
  scored: ScoredRun,
  figures: RunFigures,
  cwd: string,
  terminal: Terminal,
): Promise<string> {
  const { run, metrics, images, parts } = scored;
  const sections: Section[] = [
    { id: 'figures', heading: 'On the validation images', content: await scores(scored, figures) },
  ];
  const trained = [run, ...parts.map((part) => part.run)].filter(({ record }) => record.epochs.length > 0);
  if (trained.length > 0) {
    const content = await learningCurves(trained.slice(0, MOST_CURVES), 'all');
    sections.push({ id: 'curves', heading: 'Learning curves', content });
  }
  const thresholds = await thresholdCurves(run);
  if (thresholds !== undefined) {
    sections.push({ id: 'thresholds', heading: 'Other thresholds', content: thresholds });
  }
  if (images !== undefined && figures.worst.length > 0) {
    sections.push({
      id: 'worst',
      heading: 'The images that cost most',
      content: await worstPictures(scored, figures, cwd, terminal),
    });
  }
  sections.push(
    { id: 'run', heading: 'The run', content: card('What it says of itself', table(tagsTable(scored))) },
    { id: 'parameters', heading: 'Parameters', content: card('As resolved', table(paramsTable(scored))) },
  );
  return page({
    title: run.run_id,
    kind: 'Run',
    lead: html`${run.name}: ${run.status.toLowerCase()} after ${durationOf(run.record)}, ${parts.length > 0 ? `of ${counted(parts.length, 'fold')}` : `checkpoint ${scored.checkpoint ?? 'none'}`}. Figures at
threshold 0.5, without test-time augmentation or post-processing.`,
    tiles: tilesOf(metrics, figures),
    sections,
    footer: html`Intervals are of 95 %, drawn by patient.`,
  });
}

function tilesOf(metrics: ScoredRun['metrics'], { intervals }: RunFigures): Tile[] {
  const tile = (label: string, key: string, interval?: Estimate): Tile => ({
    label,
    value: decimal(metrics[key], 4),
    ...(interval === undefined ? {} : { note: range(interval) }),
  });
  return [
    tile('Dice', 'val/dice', intervals?.dice),
    tile('On positives', 'val/dice_positive', intervals?.dice_positive),
    tile('On empties', 'val/dice_empty', intervals?.dice_empty),
    tile('IoU', 'val/iou', intervals?.iou),
    tile('Loss', 'val/loss'),
    tile('No mask at all', 'val/dice_all_empty'),
  ].filter(({ value }) => value !== '–');
}

async function scores({ images = [] }: ScoredRun, { confusion }: RunFigures): Promise<Html> {
  if (confusion === undefined) {
    return notice(
      'odd',
      'The run keeps no probabilities of its chosen checkpoint, so nothing is known of single images.',
    );
  }
  const dices = images.filter(({ positive }) => positive).map(({ dice }) => dice);
  const bins = Array.from({ length: 10 }, (_, bin) => ({
    from: bin / 10,
    to: (bin + 1) / 10,
    counts: [dices.filter((dice) => Math.min(9, Math.floor(dice * 10)) === bin).length],
  }));
  const chart = await histogram({
    ...{ caption: 'Dice of the positive images', axis: 'Dice', unit: 'positive images', bins, digits: 1 },
    series: [{ name: 'positive images', tone: 'positive' }],
  });
  const counts = table({
    caption: 'Images by what they have and what is predicted',
    columns: [
      { heading: '' },
      { heading: 'Predicted a mask', numeric: true },
      { heading: 'Predicted none', numeric: true },
    ],
    rows: [
      ['Has a mask', count(confusion.found), count(confusion.missed)],
      ['Has none', count(confusion.false_alarms), count(confusion.both_empty)],
    ],
  });
  return sideBySide(card('Dice of the positive images', chart), card('Masks and no masks', counts));
}

async function worstPictures(scored: ScoredRun, { worst }: RunFigures, cwd: string, terminal: Terminal): Promise<Html> {
  const list = table({
    caption: 'The images that cost most',
    columns: [{ heading: 'Image' }, { heading: 'Dice', numeric: true }, { heading: '' }],
    rows: worst.map((image) => [image.id, decimal(image.dice, 4), faultOf(image)]),
  });
  const source = await openImages(scored.run, cwd, terminal);
  if (typeof source === 'string')
    return html`${notice('odd', `Without pictures: ${source}.`)}${card('The worst first', list)}`;
  const masks = await openMasks(scored);
  try {
    const figures: Html[] = [];
    for (const image of worst) {
      const caption = [`Dice ${decimal(image.dice, 3)}`, faultOf(image)].filter((part) => part !== '').join(', ');
      figures.push(await drawImage(image.id, source, masks, { alt: image.id, caption, note: image.id }));
    }
    const lead = html`<p>The truth in orange, the prediction in blue.</p>`;
    return html`${lead}${pictures(figures)}`;
  } finally {
    source.close();
    masks?.close();
  }
}

function tagsTable({ run }: ScoredRun) {
  const { record, mlflow_run_id: mlflow, dir } = run;
  const facts = {
    'run id': run.run_id,
    ...(mlflow === undefined ? {} : { 'MLflow run id': mlflow }),
    started: new Date(record.started).toISOString(),
    'last line': new Date(record.latest).toISOString(),
    ...record.tags,
  };
  const rows = Object.entries(facts).filter(([, value]) => value !== dir);
  return { caption: 'What it says of itself', columns: [{ heading: 'What' }, { heading: 'Value' }], rows };
}

function paramsTable({ run }: ScoredRun) {
  const rows = Object.entries(run.record.params);
  return { caption: 'Parameters', columns: [{ heading: 'Parameter' }, { heading: 'Value' }], rows };
}

function durationOf({ started, latest }: ScoredRun['run']['record']): string {
  const minutes = Math.round((latest - started) / 60_000);
  if (minutes < 1) return 'less than a minute';
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
