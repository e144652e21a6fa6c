import type { GrayImage } from '../core/image.ts';
import { type Html, html } from './html.ts';
import { picture, shrink, webpUri } from './picture.ts';

/** A square of values over a picture. */
export interface HeatMap {
  /** Cells along a side; `values` are [side,side], row-major, from 0. */
  side: number;
  values: readonly number[];
  /** Dark and grey, what the values lie over; black when left out. */
  background?: GrayImage | undefined;
  /** What it shows, for who does not see it. */
  alt: string;
  caption: string;
  /** How a value is written at the ends of the scale. */
  show: (value: number) => string;
}

const PICTURE_SIDE = 480;
/** From nothing to the greatest value, red, green, blue: bright is much, in any kind of sight. */
const RAMP: readonly (readonly [number, number, number])[] = [
  [46, 16, 86],
  [128, 30, 110],
  [205, 62, 76],
  [246, 134, 48],
  [252, 240, 150],
];

/** Draws values as colours over a picture, smoothed over neighbouring cells, with a scale below. */
export async function heatMap({ side, values, background, alt, caption, show }: HeatMap): Promise<Html> {
  const size = PICTURE_SIDE;
  const smooth = smoothed(values, side);
  const most = Math.max(...smooth, 0);
  const under = background === undefined ? undefined : await shrink(background, size);
  const rgb = new Uint8Array(size * size * 3);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const value = most === 0 ? 0 : between(smooth, side, (x + 0.5) / size, (y + 0.5) / size) / most;
      const grey = (under?.data[y * size + x] ?? 0) * 0.8;
      const strength = Math.min(0.88, 1.6 * Math.sqrt(value));
      const colour = colourAt(value);
      for (let c = 0; c < 3; c++) rgb[3 * (y * size + x) + c] = (1 - strength) * grey + strength * colour[c]!;
    }
  }
  const uri = await webpUri(rgb, size, size);
  return html`${picture(uri, alt, caption)}${scaleBar(show(0), show(most))}`;
}

function scaleBar(least: string, most: string): Html {
  const stops = RAMP.map((colour) => `rgb(${colour.join(' ')})`).join(', ');
  return html`<div class="ramp" aria-hidden="true"><div style="background: linear-gradient(to right, ${stops})"></div>
<p class="ramp-labels"><span>${least}</span><span>${most}</span></p></div>`;
}

function colourAt(value: number): [number, number, number] {
  const position = Math.min(1, Math.max(0, value)) * (RAMP.length - 1);
  const index = Math.min(RAMP.length - 2, Math.floor(position));
  const [from, to] = [RAMP[index]!, RAMP[index + 1]!];
  const mix = (c: 0 | 1 | 2) => from[c] + (to[c] - from[c]) * (position - index);
  return [mix(0), mix(1), mix(2)];
}

/** Each cell with its neighbours, weighed 1 2 1 each way: the grid is not to be seen. */
function smoothed(values: readonly number[], side: number): number[] {
  const at = (x: number, y: number) =>
    values[Math.min(side - 1, Math.max(0, y)) * side + Math.min(side - 1, Math.max(0, x))]!;
  const across = (x: number, y: number) => (at(x - 1, y) + 2 * at(x, y) + at(x + 1, y)) / 4;
  return values.map((_, i) => {
    const [x, y] = [i % side, Math.floor(i / side)];
    return (across(x, y - 1) + 2 * across(x, y) + across(x, y + 1)) / 4;
  });
}

/** Bilinear between the centres of cells, the nearest cell's value beyond them; u and v from 0 to 1. */
function between(values: readonly number[], side: number, u: number, v: number): number {
  const clamp = (position: number) => Math.min(side - 1, Math.max(0, position));
  const [x, y] = [clamp(u * side - 0.5), clamp(v * side - 0.5)];
  const [left, top] = [Math.floor(x), Math.floor(y)];
  const [right, bottom] = [Math.min(side - 1, left + 1), Math.min(side - 1, top + 1)];
  const at = (row: number, column: number) => values[row * side + column]!;
  const upper = at(top, left) + (at(top, right) - at(top, left)) * (x - left);
  const lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * (x - left);
  return upper + (lower - upper) * (y - top);
}
