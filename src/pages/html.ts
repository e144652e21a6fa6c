/** A piece of HTML; made by `html`, so that every text in it is escaped. */
export interface Html {
  readonly markup: string;
}

/** What may stand in a template: text is escaped, HTML is not, lists are joined, undefined and false are nothing. */
export type Content = Html | string | number | false | undefined | readonly Content[];

/** Builds HTML from a template literal: html`<b>${'a < b'}</b>`. Every value that is no HTML itself is escaped. */
export function html(parts: TemplateStringsArray, ...values: Content[]): Html {
  return { markup: parts.map((part, index) => part + markupOf(index < values.length ? values[index] : '')).join('') };
}

/** Takes markup as it is: only for what this program made, such as the SVG of a plot. */
export function trusted(markup: string): Html {
  return { markup };
}

/** Text as HTML shows it, within elements and within quoted attributes. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => SIGNS[sign]!);
}

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

function markupOf(value: Content): string {
  if (value === undefined || value === false) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return escapeHtml(String(value));
  return 'markup' in value ? value.markup : value.map(markupOf).join('');
}
