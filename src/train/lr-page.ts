import type { Experiment } from '../config/experiment.ts';
import { html } from '../pages/html.ts';
import { count, decimal } from '../pages/numbers.ts';
import { card, page } from '../pages/page.ts';
import { plot } from '../pages/plot.ts';
import { foldedTable } from '../pages/table.ts';
import type { FoundLr, LrRange } from './find-lr.ts';
import type { LrPoint } from './lr-range.ts';

/** A rate for reading: `1.2e-4`. */
export function showRate(rate: number | undefined): string {
  return rate === undefined ? '–' : rate.toExponential(1);
}

/** The page of a range test: loss over learning rate, and what to read off it. */
export async function lrPage(
  { name, model, resolution, batch_size, accumulation_steps, optimizer }: Experiment,
  range: LrRange,
  found: Pick<FoundLr, 'steepest' | 'lowest' | 'suggestion' | 'points'>,
): Promise<string> {
  const { points, steepest, lowest, suggestion } = found;
  const images = batch_size * accumulation_steps;
  const columns = ['Rate', 'Loss', 'Smoothed'].map((heading) => ({ heading, numeric: true }));
  const rows = points.map(({ lr, loss, smoothed }) => [showRate(lr), decimal(loss, 4), decimal(smoothed, 4)]);
  return page({
    title: name,
    kind: 'Learning rates',
    lead: html`${model.encoder} with ${model.decoder} at ${resolution}², ${count(images)} images an update, ${optimizer.name}:
${count(points.length)} updates at rates from ${showRate(range.from)} on, each a little higher than the one before.`,
    tiles: [
      { label: 'To begin with', value: showRate(suggestion), note: `lr_schedule.lr=${showRate(suggestion)}` },
      { label: 'Falls fastest at', value: showRate(steepest) },
      { label: 'Lowest at', value: showRate(lowest), note: 'as a rate to stay at, too high' },
    ],
    sections: [
      {
        id: 'loss',
        heading: 'Loss over learning rate',
        content: [
          card('Training loss', await curve(points, suggestion)),
          foldedTable({ caption: 'Every update', columns, rows }),
        ],
      },
    ],
    footer: html`Points are single updates, the line is their running mean; the upright line is the rate to begin with. Another
seed, batch size or network wants a range test of its own.`,
  });
}

async function curve(points: readonly LrPoint[], suggestion: number) {
  const shown = points.filter(({ loss }) => Number.isFinite(loss));
  const top = 1.2 * Math.max(...shown.slice(0, -1).map(({ smoothed }) => smoothed), shown[0]!.smoothed);
  const x = {
    field: 'lr',
    type: 'quantitative',
    title: 'learning rate (logarithmic)',
    scale: { type: 'log', nice: false },
  };
  const y = (field: string) => ({
    ...{ field, type: 'quantitative', title: 'training loss' },
    scale: { domainMax: top, zero: false },
  });
  const axis = { format: '.0e', labelOverlap: true };
  return await plot(
    {
      data: { values: shown },
      layer: [
        {
          mark: { type: 'point', clip: true, filled: true, size: 14, color: 'var(--quiet)', opacity: 0.5 },
          encoding: { x: { ...x, axis }, y: y('loss') },
        },
        {
          mark: { type: 'line', clip: true, color: 'var(--positive)' },
          encoding: { x: { ...x, axis }, y: y('smoothed') },
        },
        {
          data: { values: [{ lr: suggestion }] },
          mark: { type: 'rule', color: 'var(--ink)', strokeDash: [4, 3] },
          encoding: { x: { ...x, axis } },
        },
      ],
    },
    `Training loss by learning rate, with the rate to begin with at ${showRate(suggestion)}`,
  );
}
