import { readFileSync } from 'node:fs';
import { type Content, type Html, html, trusted } from './html.ts';

/** A part of a page with a heading of its own and a place in the list of contents. */
export interface Section {
  /** Its anchor. */
  id: string;
  heading: string;
  content: Content;
}

/** One number that is to be seen first. */
export interface Tile {
  label: string;
  value: string;
  /** A line below. */
  note?: string;
  /** Draws the eye: something is odd. */
  warns?: boolean;
}

export interface Page {
  title: string;
  /** A word above the title: what kind of report it is. */
  kind: string;
  /** Below the title. */
  lead: Content;
  tiles: readonly Tile[];
  sections: readonly Section[];
  footer: Content;
}

/**
 * The one shell of every report: a whole HTML document that needs no other file and asks no network (its policy forbids
 * it), light or dark as the reader's system is, for screens from 320 pixels on and for paper.
 */
export function page({ title, kind, lead, tiles, sections, footer }: Page): string {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>${title} · ${kind}</title>
<style>
${trusted(STYLE)}</style>
</head>
<body>
<a class="skip" href="#content">Skip to the content</a>
<div class="page">
<header>
<p class="kind">${kind}</p>
<h1>${title}</h1>
<p class="lead">${lead}</p>
</header>
<nav aria-label="Contents"><ol>
${sections.map(({ id, heading }) => html`<li><a href="#${id}">${heading}</a></li>\n`)}</ol></nav>
<main id="content">
${tiles.length > 0 && html`<dl class="tiles">${tiles.map(tile)}</dl>`}
${sections.map(
  ({ id, heading, content }) => html`<section id="${id}" aria-labelledby="${id}-heading">
<h2 id="${id}-heading">${heading}</h2>
${content}
</section>
`,
)}</main>
<footer>${footer}</footer>
</div>
</body>
</html>
`.markup;
}

/** Content that stands side by side where there is room. */
export function sideBySide(...content: Content[]): Html {
  return html`<div class="beside">${content}</div>`;
}

/** Content one below the other, as a part of `sideBySide`. */
export function stacked(...content: Content[]): Html {
  return html`<div class="stacked">${content}</div>`;
}

/** A box with a heading. */
export function card(heading: string, ...content: Content[]): Html {
  return html`<div class="card"><h3>${heading}</h3>${content}</div>`;
}

/** A sentence that must not be overlooked, or one that says that all is well. */
export function notice(tone: 'odd' | 'good', ...content: Content[]): Html {
  return html`<p class="notice ${tone}">${content}</p>`;
}

const STYLE = readFileSync(new URL('./style.css', import.meta.url), 'utf8');

function tile({ label, value, note, warns }: Tile): Html {
  return html`<div class="tile${warns ? ' odd' : ''}"><dt>${label}</dt><dd>${value}${
    note !== undefined && html`<small class="tile-note">${note}</small>`
  }</dd></div>`;
}
