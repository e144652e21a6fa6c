import Table from 'cli-table3';
import type { Terminal } from '../core/terminal.ts';
import type { PlainTable } from '../leaderboard/comparison-tables.ts';

/** Shows a table of a report on a terminal, numbers to the right. */
export function sayTable({ columns, rows }: PlainTable, terminal: Terminal): void {
  const colAligns = columns.map(({ numeric }) => (numeric ? ('right' as const) : ('left' as const)));
  const style = { head: [], border: [], compact: true };
  const table = new Table({ head: columns.map(({ heading }) => heading), colAligns, style });
  table.push(...rows.map((row) => [...row]));
  terminal.say(table.toString());
}
