/**
 * The loops over pixels of `remap`: `count` pixels of `target` from index `to` on come from a straight line in the square
 * `source`, the first from column x and row y, each further one from dx and dy beyond, in 65536ths of a pixel.
 *
 * They write numbers out that have names elsewhere, and take them one by one rather than in an object: looked up at every
 * pixel, either takes half as long again.
 */

/** Bilinear, where the whole line is inside and has neighbours to the right and below. */
export function takeBilinear(
  source: Uint8Array,
  size: number,
  target: Uint8Array,
  to: number,
  count: number,
  x: number,
  dx: number,
  y: number,
  dy: number,
): void {
  for (let i = to, end = to + count, u = x, v = y; i < end; i++, u = (u + dx) | 0, v = (v + dy) | 0) {
    const at = (v >> 16) * size + (u >> 16);
    const below = at + size;
    target[i] = blend(source[at]!, source[at + 1]!, source[below]!, source[below + 1]!, u, v);
  }
}

/** Bilinear, where some or all of it may be outside: black there, or mirrored. */
export function takeBilinearAtRim(
  source: Uint8Array,
  size: number,
  mirror: boolean,
  target: Uint8Array,
  to: number,
  count: number,
  x: number,
  dx: number,
  y: number,
  dy: number,
): void {
  for (let i = to, end = to + count, u = x, v = y; i < end; i++, u = (u + dx) | 0, v = (v + dy) | 0) {
    target[i] = mirror ? blendAtRim(source, size, reflect(u, size), reflect(v, size)) : blendAtRim(source, size, u, v);
  }
}

/** By the nearest pixel, where the whole line is inside. */
export function takeNearest(
  source: Uint8Array,
  size: number,
  target: Uint8Array,
  to: number,
  count: number,
  x: number,
  dx: number,
  y: number,
  dy: number,
): void {
  // Half a pixel more, since the bits after the point are cut off.
  const [first, top] = [(x + 32768) | 0, (y + 32768) | 0];
  for (let i = to, end = to + count, u = first, v = top; i < end; i++, u = (u + dx) | 0, v = (v + dy) | 0) {
    target[i] = source[(v >> 16) * size + (u >> 16)]!;
  }
}

/** By the nearest pixel, where some or all of it may be outside: 0 there, or mirrored. */
export function takeNearestAtRim(
  source: Uint8Array,
  size: number,
  mirror: boolean,
  target: Uint8Array,
  to: number,
  count: number,
  x: number,
  dx: number,
  y: number,
  dy: number,
): void {
  for (let i = to, end = to + count, u = x, v = y; i < end; i++, u = (u + dx) | 0, v = (v + dy) | 0) {
    const column = mirror ? reflect(u, size) : u;
    const row = mirror ? reflect(v, size) : v;
    target[i] = levelAt(source, size, (column + 32768) >> 16, (row + 32768) >> 16);
  }
}

/** Of four neighbours the mean by their shares in 2048ths, rounded: 8 bits of grey and twice 11 fit a number of 31. */
function blend(a: number, b: number, c: number, d: number, u: number, v: number): number {
  const across = (u >> 5) & 2047;
  const upper = (a << 11) + (b - a) * across;
  const lower = (c << 11) + (d - c) * across;
  return ((upper << 11) + (lower - upper) * ((v >> 5) & 2047) + (1 << 21)) >> 22;
}

function blendAtRim(source: Uint8Array, size: number, u: number, v: number): number {
  const [left, top] = [u >> 16, v >> 16];
  if (left < -1 || top < -1 || left >= size || top >= size) return 0;
  const a = levelAt(source, size, left, top);
  const b = levelAt(source, size, left + 1, top);
  const c = levelAt(source, size, left, top + 1);
  const d = levelAt(source, size, left + 1, top + 1);
  return blend(a, b, c, d, u, v);
}

function levelAt(source: Uint8Array, size: number, x: number, y: number): number {
  return x >= 0 && y >= 0 && x < size && y < size ? source[y * size + x]! : 0;
}

/** Folds a place beyond the first or last pixel's centre back: 1.5 pixels outside is 1.5 pixels inside. */
function reflect(place: number, size: number): number {
  const last = (size - 1) << 16;
  if (place >= 0 && place <= last) return place;
  const folded = Math.abs(place) % (2 * last || 1);
  return folded > last ? 2 * last - folded : folded;
}
