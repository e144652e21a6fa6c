import { z } from 'zod';
import { reused } from './reused.ts';
import type { Sample } from './sample.ts';
import { takeBilinear, takeBilinearAtRim, takeNearest, takeNearestAtRim } from './take-line.ts';

/** What lies outside of an image: black and no mask, or the image mirrored in its first and last pixels' centres. */
export const borderConfig = z.enum(['constant', 'reflect']);
export type Border = z.infer<typeof borderConfig>;

/** Places are whole numbers, this many to a pixel; 0 is the centre of the first one. */
export const PIXEL = 1 << 16;

/**
 * Says where every `step`-th pixel of a row comes from, from the first one to one at or beyond the row's end: from column
 * xs[n] and row ys[n], in 65536ths of a pixel and within ±32,767 pixels.
 */
export type PlacesOfRow = (row: number, xs: Int32Array, ys: Int32Array) => void;

const imageCopy = reused((length) => new Uint8Array(length));
const maskCopy = reused((length) => new Uint8Array(length));
const columns = reused((length) => new Int32Array(length));
const rows = reused((length) => new Int32Array(length));

/**
 * Takes every pixel of a sample from another place, image and mask alike: the image bilinear, the mask nearest.
 * @param step pixels from one place that is given to the next; those between come from the straight line between.
 */
export function remap(
  { size, image, mask }: Sample,
  { border, step }: { border: Border; step: number },
  placesOf: PlacesOfRow,
): void {
  const grey = imageCopy(size * size);
  grey.set(image);
  // Most masks are empty.
  const inside = anyInside(mask) ? maskCopy(size * size) : undefined;
  inside?.set(mask);
  const nodes = Math.ceil(size / step) + 1;
  const [xs, ys] = [columns(nodes), rows(nodes)];
  const last = (size - 1) * PIXEL;
  const mirror = border === 'reflect';
  for (let row = 0, to = 0; row < size; row++) {
    placesOf(row, xs, ys);
    for (let node = 0, rest = size; rest > 0; node++, rest -= step) {
      const count = Math.min(step, rest);
      const x = xs[node]!;
      const y = ys[node]!;
      const dx = ((xs[node + 1]! - x) / step) | 0;
      const dy = ((ys[node + 1]! - y) / step) | 0;
      // Every pixel of a straight line is inside where its ends are.
      if (isBetween(x, x + (count - 1) * dx, last) && isBetween(y, y + (count - 1) * dy, last)) {
        takeBilinear(grey, size, image, to, count, x, dx, y, dy);
        if (inside !== undefined) takeNearest(inside, size, mask, to, count, x, dx, y, dy);
      } else {
        takeBilinearAtRim(grey, size, mirror, image, to, count, x, dx, y, dy);
        if (inside !== undefined) takeNearestAtRim(inside, size, mirror, mask, to, count, x, dx, y, dy);
      }
      to += count;
    }
  }
}

/** Whether both are from 0 to below the last pixel, which has no neighbour beyond. */
function isBetween(a: number, b: number, last: number): boolean {
  return a >= 0 && b >= 0 && a < last && b < last;
}

/** Whether a mask has a pixel inside. Buffer looks for it by the word; a plain array is ten times as slow. */
export function anyInside({ buffer, byteOffset, byteLength }: Uint8Array): boolean {
  return Buffer.from(buffer, byteOffset, byteLength).includes(1);
}
