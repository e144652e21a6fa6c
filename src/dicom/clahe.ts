import type { GrayImage } from '../core/image.ts';

const LEVELS = 256;

/**
 * Contrast-limited adaptive histogram equalisation (K. Zuiderveld, Graphics Gems IV, 1994), as OpenCV computes it: the
 * image is cut into tiles × tiles, each tile's histogram is cut at the limit and the excess spread evenly, and every
 * pixel is mapped by the bilinear mean of the four nearest tiles' curves. Sides that tiles do not divide are mirrored on.
 * @param clipLimit how many times the average count of a grey level a histogram may hold.
 * @param tiles along each side, 1 to 64.
 */
export function clahe(image: GrayImage, clipLimit: number, tiles: number): GrayImage {
  // OpenCV adds a whole row of tiles' remainder to both sides when either does not divide.
  const divides = image.width % tiles === 0 && image.height % tiles === 0;
  const pad = (side: number) => (divides ? side : side + tiles - (side % tiles));
  const tileWidth = pad(image.width) / tiles;
  const tileHeight = pad(image.height) / tiles;
  const curves = new Uint8Array(tiles * tiles * LEVELS);
  for (let row = 0; row < tiles; row++) {
    for (let column = 0; column < tiles; column++) {
      const histogram = countTile(image, column * tileWidth, row * tileHeight, tileWidth, tileHeight);
      clip(histogram, clipLimit, tileWidth * tileHeight);
      writeCurve(histogram, tileWidth * tileHeight, curves.subarray((row * tiles + column) * LEVELS));
    }
  }
  return blend(image, curves, { tiles, tileWidth, tileHeight });
}

function countTile({ width, height, data }: GrayImage, left: number, top: number, across: number, down: number) {
  const histogram = new Int32Array(LEVELS);
  for (let y = top; y < top + down; y++) {
    const row = mirror(y, height) * width;
    for (let x = left; x < left + across; x++) histogram[data[row + mirror(x, width)]!]! += 1;
  }
  return histogram;
}

/** Places beyond the rim, mirrored without repeating the rim itself. */
function mirror(place: number, size: number): number {
  if (place < size) return place;
  return size === 1 ? 0 : Math.max(0, 2 * size - 2 - place);
}

function clip(histogram: Int32Array, clipLimit: number, area: number): void {
  const most = Math.max(1, Math.floor((clipLimit * area) / LEVELS));
  let excess = 0;
  for (let level = 0; level < LEVELS; level++) {
    excess += Math.max(0, histogram[level]! - most);
    histogram[level] = Math.min(histogram[level]!, most);
  }
  const each = Math.floor(excess / LEVELS);
  let rest = excess - each * LEVELS;
  for (let level = 0; level < LEVELS; level++) histogram[level]! += each;
  const step = Math.max(1, Math.floor(LEVELS / Math.max(rest, 1)));
  for (let level = 0; level < LEVELS && rest > 0; level += step, rest--) histogram[level]! += 1;
}

function writeCurve(histogram: Int32Array, area: number, curve: Uint8Array): void {
  const scale = Math.fround((LEVELS - 1) / area);
  let sum = 0;
  for (let level = 0; level < LEVELS; level++) {
    sum += histogram[level]!;
    curve[level] = Math.min(LEVELS - 1, Math.round(Math.fround(sum * scale)));
  }
}

interface Grid {
  tiles: number;
  tileWidth: number;
  tileHeight: number;
}

function blend({ width, height, data }: GrayImage, curves: Uint8Array, grid: Grid): GrayImage {
  const { tiles, tileWidth, tileHeight } = grid;
  const columns = Array.from({ length: width }, (_, x) => between(x, tileWidth, tiles));
  const lefts = Int32Array.from(columns, ([left]) => left * LEVELS);
  const rights = Int32Array.from(columns, ([, right]) => right * LEVELS);
  const shares = Float32Array.from(columns, ([, , share]) => share);
  const out = new Uint8Array(data.length);
  for (let y = 0, i = 0; y < height; y++) {
    const [above, below, down] = between(y, tileHeight, tiles);
    const upper = curves.subarray(above * tiles * LEVELS);
    const lower = curves.subarray(below * tiles * LEVELS);
    for (let x = 0; x < width; x++, i++) {
      const left = lefts[x]! + data[i]!;
      const right = rights[x]! + data[i]!;
      const share = shares[x]!;
      const top = upper[left]! + (upper[right]! - upper[left]!) * share;
      const bottom = lower[left]! + (lower[right]! - lower[left]!) * share;
      out[i] = top + (bottom - top) * down + 0.5;
    }
  }
  return { width, height, data: out };
}

/** The two tiles whose centres lie around a pixel, and the second one's share. */
function between(place: number, side: number, tiles: number): [number, number, number] {
  const at = place / side - 0.5;
  const first = Math.floor(at);
  return [Math.max(first, 0), Math.min(first + 1, tiles - 1), at - first];
}
