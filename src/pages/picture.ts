import sharp from 'sharp';
import type { GrayImage, Mask } from '../core/image.ts';
import { type Content, type Html, html } from './html.ts';

/** What a picture is encoded for: a box of this many pixels; twice its usual size on a page, for fine screens. */
export const PICTURE_SIDE = 320;

/** The colours of outlines, red, green, blue: of a mask, and of a prediction beside it. */
const OUTLINE = [255, 140, 66] as const;
const PREDICTION = [88, 166, 255] as const;

/**
 * A grey picture as a `data:` address (WebP), shrunk to fit `side` pixels; with a mask its outline is drawn in orange.
 * @param mask of any size, stretched over the picture; an empty one draws nothing.
 * @param prediction likewise, drawn in blue and under the mask's outline.
 */
export async function pictureUri(
  image: GrayImage,
  mask?: Mask,
  side = PICTURE_SIDE,
  prediction?: Mask,
): Promise<string> {
  const { rgb, width, height } = await paint(image, mask, side, prediction);
  return await webpUri(rgb, width, height);
}

/** The same as red, green and blue, [H,W,3]. */
export async function paint(
  image: GrayImage,
  mask: Mask | undefined,
  side: number,
  prediction?: Mask,
): Promise<{ rgb: Uint8Array; width: number; height: number }> {
  const { data, width, height } = await shrink(image, side);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < data.length; i++) rgb.fill(data[i]!, 3 * i, 3 * i + 3);
  if (prediction !== undefined) drawOutline(rgb, prediction, PREDICTION, width, height);
  if (mask !== undefined) drawOutline(rgb, mask, OUTLINE, width, height);
  return { rgb, width, height };
}

function drawOutline(rgb: Uint8Array, mask: Mask, colour: readonly number[], width: number, height: number): void {
  const inside = coverOf(mask, width, height);
  for (let i = 0; i < inside.length; i++) {
    if (inside[i] === 1 && isBorder(inside, i, width, height)) rgb.set(colour, 3 * i);
  }
}

/** A colour picture, [H,W,3], as a `data:` address (WebP). */
export async function webpUri(rgb: Uint8Array, width: number, height: number): Promise<string> {
  const file = await sharp(rgb, { raw: { width, height, channels: 3 } })
    .webp({ quality: 84, smartSubsample: true })
    .toBuffer();
  return `data:image/webp;base64,${file.toString('base64')}`;
}

/** A picture with what it shows, and smaller lines below. */
export function picture(uri: string, alt: string, caption: Content, ...notes: Content[]): Html {
  const lines = notes.map((note) => html`<small class="picture-note">${note}</small>`);
  return html`<figure><img src="${uri}" alt="${alt}" loading="lazy"><figcaption>${caption}${lines}</figcaption></figure>`;
}

/** Pictures in a grid, as many beside one another as there is room for; wider ones where each is a pair. */
export function pictures(figures: readonly Html[], kind: 'single' | 'pairs' = 'single'): Html {
  return html`<div class="pictures ${kind}">${figures}</div>`;
}

/** A grey picture shrunk to fit `side`×`side` pixels, its shape kept unless `fill`; smaller ones are enlarged. */
export async function shrink(
  { width, height, data }: GrayImage,
  side: number,
  fit: 'inside' | 'fill' = 'inside',
): Promise<GrayImage> {
  const { data: bytes, info } = await sharp(data, { raw: { width, height, channels: 1 }, limitInputPixels: false })
    .resize(side, side, { fit })
    .toColourspace('b-w')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: bytes };
}

/** Which pixels of a smaller or larger picture a mask touches, so that the smallest mask is still seen. */
function coverOf(mask: Mask, width: number, height: number): Uint8Array {
  const cover = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const [top, bottom] = spanOf(y, height, mask.height);
    for (let x = 0; x < width; x++) {
      const [left, right] = spanOf(x, width, mask.width);
      for (let v = top; v < bottom && cover[y * width + x] === 0; v++) {
        if (mask.data.subarray(v * mask.width + left, v * mask.width + right).includes(1)) cover[y * width + x] = 1;
      }
    }
  }
  return cover;
}

function spanOf(index: number, length: number, source: number): [number, number] {
  const start = Math.floor((index * source) / length);
  return [start, Math.max(start + 1, Math.floor(((index + 1) * source) / length))];
}

/** Inside, and at most two pixels from the outside. */
function isBorder(inside: Uint8Array, i: number, width: number, height: number): boolean {
  const x = i % width;
  const y = Math.floor(i / width);
  if (x < 2 || y < 2 || x > width - 3 || y > height - 3) return true;
  return [1, 2, width, 2 * width].some((step) => inside[i - step] === 0 || inside[i + step] === 0);
}
