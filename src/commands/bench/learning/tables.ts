import { deviationOf, meanOf } from './figures.ts';

/** A figure of each seed. */
export interface Column<T> {
  title: string;
  of(row: T): number;
  /** Of a value and of the mean; four digits where it is left out. */
  format?(value: number): string;
}

/** One line for each seed, and the mean ± the standard deviation over them. */
export function seedTable<T extends { seed: number }>(columns: readonly Column<T>[], seeds: readonly T[]): string {
  const rows = seeds.map((row) => [String(row.seed), ...columns.map(({ of, format = fixed }) => format(of(row)))]);
  const over = columns.map(({ of, format = fixed }) => {
    const values = seeds.map(of);
    return values.length < 2 ? format(values[0]!) : `${format(meanOf(values))} ± ${fixed(deviationOf(values))}`;
  });
  return table(['seed', ...columns.map(({ title }) => title)], [...rows, ['mean ± sd', ...over]]);
}

/** A table in Markdown. */
export function table(head: readonly string[], rows: readonly string[][]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Four digits. */
export function fixed(value: number): string {
  return value.toFixed(4);
}

/** Four digits, a minus where there is one. */
export function signed(value: number): string {
  return `${value < 0 ? '−' : ''}${fixed(Math.abs(value))}`;
}
