import type { Table } from './table.ts';

type Cells = readonly (string | number)[];

/** A table of plain cells as Markdown, numbers to the right. */
export function markdownTable({ columns, rows }: Pick<Table, 'columns'> & { rows: readonly Cells[] }): string {
  const line = (cells: Cells) => `| ${cells.map((cell) => escapeCell(String(cell))).join(' | ')} |`;
  const rule = columns.map(({ numeric }) => (numeric ? '---:' : '---'));
  return [line(columns.map(({ heading }) => heading)), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

/** A bar would end the cell, a line end the table; what looks like HTML would be taken for it. */
function escapeCell(text: string): string {
  return text
    .replaceAll('\\', '\\\\')
    .replaceAll('|', '\\|')
    .replaceAll('<', '&lt;')
    .replace(/[\r\n]+/g, ' ');
}
