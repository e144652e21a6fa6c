import type { Bar, Bin } from '../../pages/charts.ts';
import type { CatalogueRow } from '../catalogue.ts';
import { countKinds, KINDS, kindOf } from './sets.ts';

/**
 * Counts numbers into bins between ascending edges; the last bin has its upper edge too, and what lies outside is not
 * counted. Empty bins at both ends are left out.
 * @param values each with the index of its series.
 */
export function countInto(edges: readonly number[], values: readonly [value: number, series: number][], series = 1) {
  const bins: (Bin & { counts: number[] })[] = edges
    .slice(1)
    .map((to, index) => ({ from: edges[index]!, to, counts: new Array<number>(series).fill(0) }));
  for (const [value, kind] of values) {
    const last = bins.at(-1);
    const bin = bins.find(({ from, to }) => value >= from && value < to) ?? (value === last?.to ? last : undefined);
    if (bin !== undefined) bin.counts[kind]! += 1;
  }
  return trimmed(bins);
}

/** Counts a number of each row into bins, by KINDS; rows without the number are not counted. */
export function countKindsInto(
  edges: readonly number[],
  rows: readonly CatalogueRow[],
  numberOf: (row: CatalogueRow) => number | undefined,
): Bin[] {
  const values = rows.flatMap((row): [number, number][] => {
    const value = numberOf(row);
    return value === undefined ? [] : [[value, kindOf(row)]];
  });
  return countInto(edges, values, KINDS.length);
}

/** Counts rows by a text of theirs, by KINDS, most frequent first. */
export function countBy(rows: readonly CatalogueRow[], nameOf: (row: CatalogueRow) => string): Bar[] {
  return [...groupBy(rows, nameOf)]
    .sort(([a, some], [b, others]) => others.length - some.length || (a < b ? -1 : 1))
    .map(([name, members]) => ({ name, counts: countKinds(members) }));
}

/** Rows by a text of theirs, in order of first appearance. */
export function groupBy<T>(rows: readonly T[], keyOf: (row: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group === undefined) groups.set(keyOf(row), [row]);
    else group.push(row);
  }
  return groups;
}

/** Edges from `from` to `to` at a distance of `width`, free of the errors of adding. */
export function evenEdges(from: number, to: number, width: number): number[] {
  const count = Math.max(1, Math.round((to - from) / width));
  return Array.from({ length: count + 1 }, (_, i) => Number((from + i * width).toPrecision(9)));
}

function trimmed<B extends Bin>(bins: readonly B[]): B[] {
  const used = bins.map(({ counts }) => counts.some((value) => value > 0));
  return used.includes(true) ? bins.slice(used.indexOf(true), used.lastIndexOf(true) + 1) : [];
}
