/** Parts that a decoder makes a record of each before it decodes a single one. */
export interface BlockCount {
  precincts: number;
  codeBlocks: number;
}

/** The image area of a codestream and how it is cut into tiles. */
export interface TileGrid {
  tileWidth: number;
  tileHeight: number;
  tiles: number;
  channels: number;
}

const SOT = 0xff90;
const SOD = 0xff93;
const COD = 0xff52;
const COC = 0xff53;
/** More decomposition levels than the standard allows (table A.15). */
const MOST_LEVELS = 32;
/** A precinct that is not declared is as large as can be: 2^15. */
const WHOLE = 0xff;

/**
 * Counts the precincts and code-blocks that a JPEG 2000 codestream declares, from the coding styles in its main header and
 * in its tile-parts' headers (COD and COC; ISO/IEC 15444-1, A.6.1, A.6.2, B.6, B.7), decoding nothing. A style that stands
 * in for another is counted beside it, so the count may be too high, by as many times as there are styles.
 */
export function countBlocks(stream: Uint8Array, { tileWidth, tileHeight, tiles, channels }: TileGrid): BlockCount {
  const count = { precincts: 0, codeBlocks: 0 };
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const width = Math.min(tileWidth, 2 ** 16);
  const height = Math.min(tileHeight, 2 ** 16);
  const add = (times: number) => (marker: number, segment: Uint8Array) => {
    if (marker === COD)
      addStyle(count, segment.subarray(5), (segment[0]! & 1) === 1, { width, height }, times * channels);
    if (marker === COC) addStyle(count, segment.subarray(2), (segment[1]! & 1) === 1, { width, height }, times);
  };
  let at = walkHeader(stream, view, 2, add(tiles));
  while (at + 12 <= stream.length && view.getUint16(at) === SOT) {
    const length = view.getUint32(at + 6);
    walkHeader(stream, view, at + 12, add(1));
    // 0: the last one, as long as the rest.
    if (length < 12) break;
    at += length;
  }
  return count;
}

/** Visits marker segments up to a tile-part or its data; gives where that is. */
function walkHeader(
  stream: Uint8Array,
  view: DataView,
  start: number,
  visit: (marker: number, segment: Uint8Array) => void,
): number {
  let at = start;
  while (at + 4 <= stream.length) {
    const marker = view.getUint16(at);
    if (marker === SOT || marker === SOD || marker < 0xff00) return at;
    const length = view.getUint16(at + 2);
    visit(marker, stream.subarray(at + 4, at + 2 + length));
    at += 2 + length;
  }
  return at;
}

/** @param style levels, exponents of the code-blocks' sides less 2, two bytes more, then a byte of exponents a resolution. */
function addStyle(
  count: BlockCount,
  style: Uint8Array,
  declared: boolean,
  { width, height }: { width: number; height: number },
  times: number,
): void {
  const [levels = 0, across = 0, down = 0] = style;
  for (let resolution = 0; resolution <= Math.min(levels, MOST_LEVELS); resolution++) {
    const scale = 2 ** (levels - resolution);
    const size = { width: Math.ceil(width / scale), height: Math.ceil(height / scale) };
    const exponents = declared ? (style[5 + resolution] ?? WHOLE) : WHOLE;
    const precinct = { across: exponents & 15, down: exponents >> 4 };
    count.precincts += times * cells(size, precinct);
    // Above the lowest resolution there are three bands of half its size, and code-blocks end where precincts do (B.7).
    const half = resolution === 0 ? 0 : 1;
    const block = {
      across: half + Math.min((across & 15) + 2, Math.max(precinct.across - half, 0)),
      down: half + Math.min((down & 15) + 2, Math.max(precinct.down - half, 0)),
    };
    count.codeBlocks += times * (half === 0 ? 1 : 3) * cells(size, block);
  }
}

/** How many cells with sides of these powers of two cover an area. */
function cells(area: { width: number; height: number }, { across, down }: { across: number; down: number }): number {
  return Math.ceil(area.width / 2 ** across) * Math.ceil(area.height / 2 ** down);
}
