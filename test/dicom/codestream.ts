/** What a JPEG 2000 codestream declares; nothing of it is in its few bytes. */
export interface Declared {
  side: number;
  /** Exponents of the precincts' sides, down and across in one byte, by resolution. */
  precincts?: number[];
  /** Exponents of the code-blocks' sides, less 2. */
  block?: number;
  /** In which header the coding style is that counts: the main one, the tile's, or a component's in the main one. */
  where?: 'main' | 'tile' | 'component';
}

const LEVELS = 5;

/** The bytes of a codestream of one tile and one 8-bit component (ISO/IEC 15444-1, annex A) whose packets are all empty. */
export function codestream({ side, precincts = [], block = 4, where = 'main' }: Declared): Uint8Array {
  const style = (own: number[], exponent: number) => [LEVELS, exponent, exponent, 0, 1, ...own];
  const cod = (own: number[], exponent: number) =>
    segment(0xff52, [own.length > 0 ? 1 : 0, 0, 0, 1, 0, ...style(own, exponent)]);
  const coc = segment(0xff53, [0, precincts.length > 0 ? 1 : 0, ...style(precincts, block)]);
  const own = cod(precincts, block);
  const size = [u32(side), u32(side), u32(0), u32(0)].flat();
  const main = [
    [0xff, 0x4f],
    segment(0xff51, [0, 0, ...size, ...size, 0, 1, 7, 1, 1]),
    where === 'main' ? own : cod([], 4),
    ...(where === 'component' ? [coc] : []),
    segment(0xff5c, [0x40, ...new Array<number>(3 * LEVELS + 1).fill(8 << 3)]),
  ].flat();
  const tile = [...(where === 'tile' ? own : []), 0xff, 0x93, ...new Array<number>(100).fill(0)];
  return Uint8Array.from([...main, ...segment(0xff90, [0, 0, ...u32(12 + tile.length), 0, 1]), ...tile, 0xff, 0xd9]);
}

function segment(marker: number, content: number[]): number[] {
  const length = content.length + 2;
  return [marker >> 8, marker & 255, length >> 8, length & 255, ...content];
}

function u32(value: number): number[] {
  return [value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255];
}
