import { type Html, html } from '../../pages/html.ts';
import { count } from '../../pages/numbers.ts';

/** How many entries of a list a page shows; the JSON file has them all. */
export const LISTED = 200;

/** Ids one below the other in a box that scrolls, at most LISTED of them. */
export function idList(ids: readonly string[]): Html {
  const shown = ids.slice(0, LISTED).map((id) => html`<li><code>${id}</code></li>`);
  return html`<div class="scroll tall" tabindex="0" role="region" aria-label="Image ids"><ul class="ids">${shown}</ul></div>${more(ids.length)}`;
}

/** Says that there are more than are shown. */
export function more(total: number): Html | undefined {
  if (total <= LISTED) return undefined;
  return html`<p>The first ${count(LISTED)} of ${count(total)}; the JSON file beside this page has them all.</p>`;
}
