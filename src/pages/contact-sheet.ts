import sharp, { type OverlayOptions } from 'sharp';
import type { GrayImage, Mask } from '../core/image.ts';
import { paint } from './picture.ts';

/** Square pictures beside one another, with a line above them. */
export interface SheetRow {
  label: string;
  pictures: readonly { image: GrayImage; mask: Mask }[];
}

/** Side of a picture, and what is left free between two. */
const SIDE = 256;
const GAP = 6;
/** Height of a line of text. */
const LINE = 24;

/**
 * A PNG file of pictures in rows, each with its mask's outline in orange and its row's label above; `columns` are heads
 * of the columns. Where the system has no font at all, labels stay empty.
 */
export async function drawContactSheet(columns: readonly string[], rows: readonly SheetRow[]): Promise<Buffer> {
  const rowHeight = LINE + SIDE + GAP;
  const [width, height] = [GAP + columns.length * (SIDE + GAP), LINE + rows.length * rowHeight + GAP];
  const layers: OverlayOptions[] = [];
  const words: string[] = columns.map((column, index) => text(column, GAP + index * (SIDE + GAP), LINE, '#8fb8de'));
  for (const [index, { label, pictures }] of rows.entries()) {
    const top = LINE + index * rowHeight;
    words.push(text(label, GAP, top + LINE, '#e8e8e8'));
    for (const [column, { image, mask }] of pictures.entries()) {
      const { rgb, width, height } = await paint(image, mask, SIDE);
      const raw = { width, height, channels: 3 as const };
      layers.push({ input: Buffer.from(rgb), raw, left: GAP + column * (SIDE + GAP), top: top + LINE });
    }
  }
  layers.push({ input: Buffer.from(svg(width, height, words)), left: 0, top: 0 });
  return await sharp({ create: { width, height, channels: 3, background: '#1c1c1c' } })
    .composite(layers)
    .png()
    .toBuffer();
}

function svg(width: number, height: number, words: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" font-family="sans-serif" font-size="14">${words.join('')}</svg>`;
}

/** A line of text whose lower rim is at y. */
function text(words: string, x: number, y: number, colour: string): string {
  const safe = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<text x="${x}" y="${y - 8}" fill="${colour}">${safe}</text>`;
}
