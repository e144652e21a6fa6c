import type { Html } from './html.ts';
import { plot } from './plot.ts';

/** A figure and how sure it is. */
export interface Interval {
  name: string;
  mean: number;
  low: number;
  high: number;
}

/** Intervals below one another, each with its mean, and an upright line at zero where they are differences. */
export async function intervalChart({
  caption,
  axis,
  intervals,
  zero = false,
}: {
  caption: string;
  axis: string;
  intervals: readonly Interval[];
  zero?: boolean;
}): Promise<Html> {
  // By place, since two may have one name.
  const values = intervals.map((interval, place) => ({ ...interval, place: `${place}` }));
  const names = JSON.stringify(intervals.map(({ name }) => name));
  const y = {
    field: 'place',
    type: 'nominal',
    title: null,
    sort: null,
    axis: { labelLimit: 260, labelColor: 'var(--ink)', labelExpr: `${names}[toNumber(datum.value)]` },
  };
  const x = { type: 'quantitative', title: axis, scale: { zero: false }, axis: { grid: true, tickCount: 5 } };
  return await plot(
    {
      height: 46 + 28 * Math.max(1, intervals.length),
      data: { values },
      layer: [
        ...(zero
          ? [
              {
                data: { values: [{ none: 0 }] },
                mark: { type: 'rule', color: 'var(--quiet)', strokeDash: [4, 3] },
                encoding: { x: { ...x, field: 'none' } },
              },
            ]
          : []),
        {
          mark: { type: 'rule', color: 'var(--plain)', strokeWidth: 3 },
          encoding: { y, x: { ...x, field: 'low' }, x2: { field: 'high' } },
        },
        {
          mark: { type: 'point', filled: true, size: 60, color: 'var(--plain)', opacity: 1 },
          encoding: { y, x: { ...x, field: 'mean' } },
        },
      ],
    },
    caption,
  );
}
