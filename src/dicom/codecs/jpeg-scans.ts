import { expected, UserError } from '../../core/errors.ts';

/** Encoders write 6 to some 20 (ISO/IEC 10918-1, G.1.1); a decoder visits every block of the picture for each. */
const MOST_SCANS = 32;
const START_OF_SCAN = 0xda;
const END_OF_IMAGE = 0xd9;

/**
 * Throws UserError where a progressive JPEG has more scans than any honest one: each may be a few bytes and takes as long as
 * the whole picture, so that a small file could keep a decoder busy for minutes.
 */
export function requireFewScans(stream: Uint8Array, where: string): void {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let scans = 0;
  // Behind a scan's header lies its data, in which FF is followed by 00 or a restart marker.
  for (let at = stream.indexOf(0xff, 2); at >= 0 && at + 4 <= stream.length; at = stream.indexOf(0xff, at)) {
    const marker = stream[at + 1]!;
    if (marker === END_OF_IMAGE) break;
    if (marker === START_OF_SCAN) scans += 1;
    if (marker === 0xff) at += 1;
    else at += hasLength(marker) ? 2 + view.getUint16(at + 2) : 2;
  }
  if (scans <= MOST_SCANS) return;
  throw new UserError(expected(`at most ${MOST_SCANS} scans`, `the compressed image of ${where}`, scans));
}

/** Not what stands for a byte of FF, nor RST0 to RST7 (table B.1). */
function hasLength(marker: number): boolean {
  return marker !== 0 && (marker < 0xd0 || marker > 0xd7);
}
