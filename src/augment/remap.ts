import { z } from 'zod';
import { reused } from './reused.ts';
import type { Sample } from './sample.ts';

/** What lies outside of an image: black and no mask, or the image mirrored in its first and last pixels' centres. */
export const borderConfig = z.enum(['constant', 'reflect']);
export type Border = z.infer<typeof borderConfig>;

/**
 * Coordinates are whole numbers, this many to a pixel; 0 is the centre of the first one. The loops over pixels below write
 * out 16 for its bits and 11 for those of neighbours' shares, and read each coordinate once: engines look up a constant
 * of the module, and an element read twice, at every pixel, which takes half as long again.
 */
export const PIXEL = 1 << 16;

/**
 * Says where the pixels of a row come from: pixel i from column xs[i] and row ys[i], both in 1/65536 of a pixel and
 * within ±32,767 pixels.
 */
export type SourcesOfRow = (row: number, xs: Int32Array, ys: Int32Array) => void;

const imageCopy = reused((length) => new Uint8Array(length));
const maskCopy = reused((length) => new Uint8Array(length));
const columns = reused((length) => new Int32Array(length));
const rows = reused((length) => new Int32Array(length));

/** Takes every pixel of a sample from another place, image and mask alike: the image bilinear, the mask nearest. */
export function remap({ size, image, mask }: Sample, border: Border, sourcesOf: SourcesOfRow): void {
  const [xs, ys] = [columns(size), rows(size)];
  const grey = imageCopy(size * size);
  grey.set(image);
  // Most masks are empty.
  const inside = anyInside(mask) ? maskCopy(size * size) : undefined;
  inside?.set(mask);
  for (let row = 0; row < size; row++) {
    sourcesOf(row, xs, ys);
    if (border === 'reflect') {
      reflect(xs, size);
      reflect(ys, size);
    }
    remapBilinear(grey, size, xs, ys, image, row * size);
    if (inside !== undefined) remapNearest(inside, size, xs, ys, mask, row * size);
  }
}

/** Whether a mask has a pixel inside. Buffer looks for it by the word; a plain array is ten times as slow. */
export function anyInside({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  return Buffer.from(buffer, byteOffset, byteLength).includes(1);
}

/** Folds coordinates beyond the first or last pixel's centre back: 1.5 pixels outside is 1.5 pixels inside. */
function reflect(at: Int32Array, size: number): void {
  const last = (size - 1) * PIXEL;
  for (let i = 0; i < size; i++) {
    const place = at[i]!;
    if (place >>> 0 <= last) continue;
    const folded = Math.abs(place) % (2 * last || 1);
    at[i] = folded > last ? 2 * last - folded : folded;
  }
}

function remapBilinear(
  source: Uint8Array,
  size: number,
  xs: Int32Array,
  ys: Int32Array,
  target: Uint8Array,
  start: number,
): void {
  // Without a sign a negative number is a large one; a limit without one is compared as a whole number too.
  const last = (size - 1) >>> 0;
  for (let i = 0; i < size; i++) {
    const x = xs[i]!;
    const y = ys[i]!;
    const left = x >> 16;
    const top = y >> 16;
    const across = (x >> 5) & 2047;
    const down = (y >> 5) & 2047;
    if (left >>> 0 < last && top >>> 0 < last) {
      const at = top * size + left;
      const below = at + size;
      target[start + i] = blend(source[at]!, source[at + 1]!, source[below]!, source[below + 1]!, across, down);
    } else target[start + i] = blendAtRim(source, size, left, top, across, down);
  }
}

/** Of four neighbours the mean by their shares in 2048ths, rounded: 8 bits of grey and twice 11 fit a number of 31. */
function blend(a: number, b: number, c: number, d: number, across: number, down: number): number {
  const upper = (a << 11) + (b - a) * across;
  const lower = (c << 11) + (d - c) * across;
  return ((upper << 11) + (lower - upper) * down + (1 << 21)) >> 22;
}

/** The same where some or all of the four are outside, and black. */
function blendAtRim(source: Uint8Array, size: number, left: number, top: number, across: number, down: number): number {
  if (left < -1 || top < -1 || left >= size || top >= size) return 0;
  const a = levelAt(source, size, left, top);
  const b = levelAt(source, size, left + 1, top);
  const c = levelAt(source, size, left, top + 1);
  const d = levelAt(source, size, left + 1, top + 1);
  return blend(a, b, c, d, across, down);
}

function levelAt(source: Uint8Array, size: number, x: number, y: number): number {
  return x >>> 0 < size && y >>> 0 < size ? source[y * size + x]! : 0;
}

function remapNearest(
  source: Uint8Array,
  size: number,
  xs: Int32Array,
  ys: Int32Array,
  target: Uint8Array,
  start: number,
): void {
  const limit = size >>> 0;
  for (let i = 0; i < size; i++) {
    const x = (xs[i]! + 32768) >> 16;
    const y = (ys[i]! + 32768) >> 16;
    target[start + i] = x >>> 0 < limit && y >>> 0 < limit ? source[y * size + x]! : 0;
  }
}
