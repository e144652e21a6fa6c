import { type Html, html } from './html.ts';
import { decimal } from './numbers.ts';
import { plot } from './plot.ts';
import { foldedTable } from './table.ts';

/** A curve; x ascending. */
export interface Curve {
  name: string;
  points: readonly { x: number; y: number }[];
}

/** As many curves can be told apart by their colour. */
export const MOST_CURVES = 6;

/** Curves over one axis, each in a colour of its own by its place, with a legend and the numbers below. */
export async function lineChart({
  caption,
  x,
  y,
  curves,
  digits = 4,
  whole = true,
}: {
  caption: string;
  /** What the axes are. */
  x: string;
  y: string;
  /** At most MOST_CURVES. */
  curves: readonly Curve[];
  digits?: number;
  /** Whether x counts something, like epochs. */
  whole?: boolean;
}): Promise<Html> {
  const places = curves.map((_, place) => String(place));
  const values = curves.flatMap(({ points }, place) => points.map((point) => ({ ...point, place: String(place) })));
  const scale = { domain: places, range: places.map(colourOf) };
  const image = await plot(
    {
      data: { values },
      mark: { type: 'line', clip: true, strokeWidth: 2, point: values.length <= 60 ? { size: 24 } : false },
      encoding: {
        x: {
          field: 'x',
          type: 'quantitative',
          title: x,
          axis: { tickMinStep: 1, format: 'd' },
          scale: { zero: false },
        },
        y: { field: 'y', type: 'quantitative', title: y, scale: { zero: false } },
        color: { field: 'place', type: 'nominal', legend: null, scale },
      },
    },
    caption,
  );
  const names = curves.map(({ name }) => name);
  return html`${legend(names)}${image}${foldedTable({
    caption,
    columns: [{ heading: x, numeric: true }, ...names.map((heading) => ({ heading, numeric: true }))],
    rows: numberRows(curves, digits, whole ? 0 : 2),
  })}`;
}

/** Names beside the colours that curves, and bars of intervals, have by their place. */
function legend(names: readonly string[]): Html {
  if (names.length < 2) return html``;
  const entries = names.map((name, place) => html`<li><i style="background: ${colourOf(place)}"></i>${name}</li>`);
  return html`<ul class="legend" aria-hidden="true">${entries}</ul>`;
}

function colourOf(place: number | string): string {
  return `var(--series-${(Number(place) % MOST_CURVES) + 1})`;
}

function numberRows(curves: readonly Curve[], digits: number, ofX: number): string[][] {
  const columns = curves.map(({ points }) => new Map(points.map((point) => [point.x, point.y])));
  const places = [...new Set(columns.flatMap((column) => [...column.keys()]))].sort((a, b) => a - b);
  return places.map((place) => [place.toFixed(ofX), ...columns.map((column) => decimal(column.get(place), digits))]);
}
