import type { TopLevelSpec } from 'vega-lite';
import { type Html, html, trusted } from './html.ts';

/** Width of a plot's own pixels; it is as wide as its box on the page, so text is about as large as the page's. */
export const PLOT_WIDTH = 430;
export const PLOT_HEIGHT = 220;

/**
 * Draws a Vega-Lite specification as an SVG that stands within the page and takes its colours from it (light and dark):
 * use `var(--…)` of style.css as colours. Vega is loaded at the first plot. Throws what Vega throws.
 * @param label what the plot shows, for who does not see it.
 */
export async function plot(spec: object, label: string): Promise<Html> {
  const [{ compile }, { parse, View }] = await Promise.all([import('vega-lite'), import('vega')]);
  const { spec: compiled } = compile({ ...COMMON, ...spec } as TopLevelSpec);
  const view = new View(parse(compiled), { renderer: 'none' });
  const svg = await view.toSVG();
  view.finalize();
  const [, width, height] = /<svg [^>]*width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
  const inner = svg.slice(svg.indexOf('>') + 1, svg.lastIndexOf('</svg>'));
  return html`<svg class="plot" role="img" aria-label="${label}" viewBox="0 0 ${width} ${height}">${trusted(inner)}</svg>`;
}

const AXIS = {
  labelColor: 'var(--quiet)',
  titleColor: 'var(--quiet)',
  tickColor: 'var(--line)',
  domainColor: 'var(--line)',
  gridColor: 'var(--grid)',
  labelFont: 'inherit',
  titleFont: 'inherit',
  labelFontSize: 13,
  titleFontSize: 13,
  titleFontWeight: 'normal',
  titlePadding: 8,
  labelPadding: 6,
};

const COMMON = {
  width: PLOT_WIDTH,
  height: PLOT_HEIGHT,
  autosize: { type: 'fit', contains: 'padding' },
  padding: { left: 2, right: 6, top: 6, bottom: 6 },
  background: 'transparent',
  config: {
    aria: false,
    font: 'inherit',
    view: { stroke: null },
    axis: AXIS,
    axisY: { domain: false, ticks: false, tickCount: 5 },
    axisX: { grid: false },
    legend: { labelColor: 'var(--quiet)', titleColor: 'var(--quiet)' },
  },
};
