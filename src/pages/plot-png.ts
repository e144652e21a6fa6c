import { readFileSync } from 'node:fs';
import sharp from 'sharp';
import type { Html } from './html.ts';

/** Side of a plot's own pixel in the picture. */
const SCALE = 2;

/** A plot (see `plot`) as a PNG in the page's light colours, for where there is no page around it. Throws what sharp throws. */
export async function plotPng({ markup }: Html): Promise<Buffer> {
  const colours = readColours();
  const filled = markup.replace(/var\((--[\w-]+)\)/g, (whole, name: string) => colours.get(name) ?? whole);
  const own = filled.replace('<svg class="plot"', '<svg xmlns="http://www.w3.org/2000/svg" font-family="sans-serif"');
  const picture = sharp(Buffer.from(own), { density: 72 * SCALE }).flatten({ background: colours.get('--card')! });
  return await picture.png().toBuffer();
}

/** The colours of the page's first `:root`, which are the light ones. */
function readColours(): Map<string, string> {
  const style = readFileSync(new URL('./style.css', import.meta.url), 'utf8');
  const root = style.slice(0, style.indexOf('}'));
  return new Map([...root.matchAll(/(--[\w-]+): ([^;]+);/g)].map(([, name, value]) => [name!, value!]));
}
