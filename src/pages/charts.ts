import { type Html, html } from './html.ts';
import { count } from './numbers.ts';
import { plot } from './plot.ts';
import { foldedTable } from './table.ts';

/** A colour of style.css by what it stands for. */
export type Tone = 'plain' | 'positive' | 'negative' | 'unlabelled';

/** One of the kinds that a chart counts. */
export interface Series {
  name: string;
  tone: Tone;
}

/** The counts of one bin, by series; `from` belongs to it, `to` to the next one. */
export interface Bin {
  from: number;
  to: number;
  counts: readonly number[];
}

/** The counts of one category, by series. */
export interface Bar {
  name: string;
  counts: readonly number[];
}

interface Chart {
  /** What is counted, for the table and for who does not see the plot. */
  caption: string;
  series: readonly Series[];
  /** What the counts are of; `images` when left out. */
  unit?: string;
}

/** A histogram, series on top of one another, with a legend where there are several, and its numbers below. */
export async function histogram(
  chart: Chart & { axis: string; bins: readonly Bin[]; scale?: 'log' | 'linear'; digits?: number },
): Promise<Html> {
  const { caption, series, axis, bins, digits = 0, unit = 'images' } = chart;
  const scale = bins.length === 0 ? 'linear' : (chart.scale ?? 'linear');
  const values = bins.flatMap(({ from, to, counts }) =>
    stack(counts).map(({ low, high }, index) => ({ from, to, low, high, name: series[index]!.name })),
  );
  const edges = [bins[0]?.from ?? 0, bins.at(-1)?.to ?? 1] as const;
  const image = await plot(
    {
      data: { values: values.filter(({ low, high }) => high > low) },
      mark: { type: 'rect', stroke: 'var(--card)', strokeWidth: 1 },
      encoding: {
        x: {
          field: 'from',
          type: 'quantitative',
          title: axis,
          scale: { type: scale, domain: edges, nice: false },
          axis: {
            format: scale === 'log' ? '~s' : '~f',
            labelOverlap: true,
            labelFlush: true,
            ...(scale === 'log' ? { values: logTicks(edges[0]!, edges[1]!) } : { tickCount: 6 }),
          },
        },
        x2: { field: 'to' },
        y: { field: 'low', type: 'quantitative', title: unit, scale: { zero: true }, axis: WHOLE_NUMBERS },
        y2: { field: 'high' },
        color: colourOf(series),
      },
    },
    caption,
  );
  const show = (value: number) => (digits === 0 ? count(value) : value.toFixed(digits));
  const rows = bins.map(({ from, to, counts }) => [`${show(from)} – ${show(to)}`, ...counts.map(count)]);
  return html`${legend(series)}${image}${numbers(chart, axis, rows)}`;
}

/** Horizontal bars by category, series beside one another on one bar, with its numbers below. */
export async function bars(chart: Chart & { axis: string; bars: readonly Bar[] }): Promise<Html> {
  const { caption, series, axis, bars, unit = 'images' } = chart;
  const values = bars.flatMap(({ name, counts }) =>
    stack(counts).map(({ low, high }, index) => ({ category: name, low, high, name: series[index]!.name })),
  );
  const image = await plot(
    {
      height: 46 + 30 * Math.max(1, bars.length),
      data: { values },
      mark: { type: 'bar', height: { band: 0.68 } },
      encoding: {
        y: {
          field: 'category',
          type: 'nominal',
          title: null,
          sort: null,
          axis: { labelLimit: 150, labelColor: 'var(--ink)' },
        },
        x: { field: 'low', type: 'quantitative', title: unit, axis: { ...WHOLE_NUMBERS, grid: true, tickCount: 5 } },
        x2: { field: 'high' },
        color: colourOf(series),
      },
    },
    caption,
  );
  return html`${legend(series)}${image}${numbers(
    chart,
    axis,
    bars.map(({ name, counts }) => [name, ...counts.map(count)]),
  )}`;
}

const WHOLE_NUMBERS = { format: ',d', tickMinStep: 1 };

function numbers({ caption, series, unit = 'images' }: Chart, axis: string, rows: string[][]): Html {
  const headings = series.length === 1 ? [unit] : series.map(({ name }) => name);
  const columns = [{ heading: axis }, ...headings.map((heading) => ({ heading, numeric: true }))];
  return foldedTable({ caption, columns, rows });
}

function colourOf(series: readonly Series[]) {
  const range = series.map(({ tone }) => `var(--${tone})`);
  return {
    field: 'name',
    type: 'nominal',
    legend: null,
    scale: { domain: series.map(({ name }) => name), range },
  };
}

function legend(series: readonly Series[]): Html {
  if (series.length === 1) return html``;
  const entries = series.map(({ name, tone }) => html`<li><i style="background: var(--${tone})"></i>${name}</li>`);
  return html`<ul class="legend" aria-hidden="true">${entries}</ul>`;
}

/** 1, 2 and 5 times the powers of ten between two positive numbers. */
function logTicks(from: number, to: number): number[] {
  const first = Math.floor(Math.log10(from));
  const powers = Array.from({ length: Math.ceil(Math.log10(to)) - first + 1 }, (_, i) => 10 ** (first + i));
  return powers.flatMap((power) => [power, 2 * power, 5 * power]).filter((tick) => tick >= from && tick <= to);
}

function stack(counts: readonly number[]): { low: number; high: number }[] {
  let high = 0;
  return counts.map((value) => {
    const low = high;
    high += value;
    return { low, high };
  });
}
