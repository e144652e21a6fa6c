import { type Html, html } from './html.ts';
import { decimal } from './numbers.ts';
import { plot } from './plot.ts';
import { foldedTable } from './table.ts';

/** Points by two figures, and the numbers below. */
export async function scatterChart({
  caption,
  x,
  y,
  points,
}: {
  caption: string;
  /** What the axes are. */
  x: string;
  y: string;
  points: readonly { name: string; x: number; y: number }[];
}): Promise<Html> {
  const axis = (field: string, title: string) => ({ field, type: 'quantitative', title, scale: { zero: false } });
  const image = await plot(
    {
      data: { values: points.map((point) => ({ x: point.x, y: point.y })) },
      mark: { type: 'point', filled: true, size: 60, color: 'var(--plain)', opacity: 0.9 },
      encoding: { x: axis('x', x), y: axis('y', y) },
    },
    caption,
  );
  const rows = points.map((point) => [point.name, decimal(point.x, 4), decimal(point.y, 4)]);
  const columns = [{ heading: '' }, { heading: x, numeric: true }, { heading: y, numeric: true }];
  return html`${image}${foldedTable({ caption, columns, rows })}`;
}
