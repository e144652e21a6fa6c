import { EXPLICIT_BIG_ENDIAN, EXPLICIT_LITTLE_ENDIAN, IMPLICIT_LITTLE_ENDIAN } from './transfer-syntaxes.ts';

/** The value representations of PS3.5, table 6.2-1. */
const VRS = new Set(
  'AE AS AT CS DA DS DT FD FL IS LO LT OB OD OF OL OV OW PN SH SL SQ SS ST SV TM UC UI UL UN UR US UT UV'.split(' '),
);

/** Data sets begin with group 8 in practice; ACR-NEMA's and command-like ones with a group length of 0 to 8. */
const HIGHEST_FIRST_GROUP = 0x0010;

/**
 * How a data set without a transfer syntax is written, by its first element: a low group number read little- or
 * big-endian, followed by a VR's two letters (explicit) or by a length that fits (implicit, PS3.5, 7.1.3).
 * @returns a transfer syntax UID of uncompressed pixels, or undefined where no data set begins there.
 */
export function guessEncoding(bytes: Uint8Array, start: number): string | undefined {
  if (start + 8 > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const explicit = VRS.has(String.fromCharCode(bytes[start + 4]!, bytes[start + 5]!));
  const isFirstGroup = (group: number) => group > 2 && group <= HIGHEST_FIRST_GROUP && group % 2 === 0;
  if (isFirstGroup(view.getUint16(start, true))) {
    if (explicit) return EXPLICIT_LITTLE_ENDIAN;
    return view.getUint32(start + 4, true) <= bytes.length - start - 8 ? IMPLICIT_LITTLE_ENDIAN : undefined;
  }
  return isFirstGroup(view.getUint16(start, false)) && explicit ? EXPLICIT_BIG_ENDIAN : undefined;
}
