import { type Content, type Html, html } from './html.ts';

/** A column: its heading, and whether it holds numbers (set to the right, digits of one width). */
export interface Column {
  heading: string;
  numeric?: boolean;
}

export interface Table {
  /** What the table is about, for everyone. */
  caption: string;
  columns: readonly Column[];
  /** The first cell of a row is its heading. */
  rows: readonly (readonly Content[])[];
}

/**
 * A table that screen readers can walk: caption, headings with their scope, and a box of its own that scrolls sideways
 * where it is wider than the screen.
 */
export function table({ caption, columns, rows }: Table): Html {
  const kind = (index: number) => (columns[index]?.numeric ? 'number' : 'text');
  const cells = (row: readonly Content[]) =>
    row.map((cell, index) =>
      index === 0
        ? html`<th scope="row" class="${kind(0)}">${cell}</th>`
        : html`<td class="${kind(index)}">${cell}</td>`,
    );
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table>
<caption>${caption}</caption>
<thead><tr>${columns.map(({ heading }, index) => html`<th scope="col" class="${kind(index)}">${heading}</th>`)}</tr></thead>
<tbody>
${rows.map((row) => html`<tr>${cells(row)}</tr>\n`)}</tbody>
</table></div>`;
}

/** A table that is closed until somebody asks for it: the numbers behind a plot, or the rest of a long list. */
export function foldedTable(content: Table, summary = 'The numbers'): Html {
  return html`<details class="numbers"><summary>${summary}</summary>${table(content)}</details>`;
}
