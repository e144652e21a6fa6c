import { constants, inflateRawSync } from 'node:zlib';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { guessEncoding } from './guess-encoding.ts';
import { DEFLATED, describeTransferSyntax } from './transfer-syntaxes.ts';

/** Where a file's data set lies and how it is written. */
export interface Container {
  /** The file's own bytes, or what its deflated data set inflates to. */
  bytes: Uint8Array;
  /** First byte of the data set. */
  start: number;
  transferSyntax: string;
  /** What `bytes` is called in messages that name a byte. */
  where: string;
  notes: string[];
}

/** Larger than any radiograph; a deflated data set that grows beyond it is refused before it fills the memory. */
export const MOST_INFLATED_BYTES = 2 ** 28;
const META_START = 132;
const TRANSFER_SYNTAX_UID = 0x00020010;
const LONG_VRS = ['OB', 'OW', 'OF', 'SQ', 'UN', 'UT'];

/**
 * Finds the data set of a DICOM file (PS3.10, 7.1): behind preamble, `DICM` and file meta group, or, with a note, behind
 * a meta group alone, behind `DICM` alone, or at the file's first byte. A deflated one is inflated (PS3.5, A.5).
 * Throws UserError where none of these is there, the meta group is damaged, or the inflated data exceed 2^28 bytes.
 */
export function openContainer(bytes: Uint8Array, where: string): Container {
  const notes: string[] = [];
  const prefixed = latin1(bytes, 128, 4) === 'DICM';
  if (!prefixed) notes.push('no preamble');
  const first = prefixed ? META_START : 0;
  const meta = readMeta(bytes, first, where);
  if (meta.end === first) notes.push('no file meta group');
  const transferSyntax = meta.transferSyntax ?? guessed(bytes, meta.end, where, notes);
  const container = { bytes, start: meta.end, transferSyntax, where, notes };
  return transferSyntax === DEFLATED ? inflate(container) : container;
}

function guessed(bytes: Uint8Array, start: number, where: string, notes: string[]): string {
  const guess = guessEncoding(bytes, start);
  if (guess !== undefined) {
    notes.push(`no transfer syntax given, read as ${describeTransferSyntax(guess)}`);
    return guess;
  }
  if (start > 0) throw new UserError(expected('a data set', `byte ${start} of ${where}`, latin1(bytes, start, 8)));
  const received = latin1(bytes, 128, 4);
  const next = 'Nor does a data set begin at byte 0: this is not a DICOM file.';
  throw new UserError(expected('the letters DICM at byte 128', where, received, next));
}

/** Walks the group of file meta elements, which is Explicit VR Little Endian whatever the data set is. */
function readMeta(bytes: Uint8Array, start: number, where: string): { end: number; transferSyntax?: string } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = start;
  let transferSyntax: string | undefined;
  while (at + 8 <= bytes.length && view.getUint16(at, true) === 2) {
    const long = LONG_VRS.includes(latin1(bytes, at + 4, 2));
    if (long && at + 12 > bytes.length) break;
    const value = at + (long ? 12 : 8);
    const length = long ? view.getUint32(at + 8, true) : view.getUint16(at + 6, true);
    if (value + length > bytes.length) {
      const received = `a file of ${bytes.length} bytes`;
      const what = `${length} bytes of file meta element (0002,${hex(view.getUint16(at + 2, true))})`;
      throw new UserError(expected(what, `byte ${value} of ${where}`, received, 'It is damaged or cut short.'));
    }
    if (view.getUint16(at + 2, true) === (TRANSFER_SYNTAX_UID & 0xffff)) transferSyntax = readUid(bytes, value, length);
    at = value + length;
  }
  return transferSyntax === undefined ? { end: at } : { end: at, transferSyntax };
}

/** An empty UID is as good as none. */
function readUid(bytes: Uint8Array, start: number, length: number): string | undefined {
  const uid = latin1(bytes, start, Math.min(length, 128)).split('\0')[0]!.trim();
  return uid === '' ? undefined : uid;
}

function inflate({ bytes, start, where, ...rest }: Container): Container {
  try {
    // A stream that is cut short gives what there is: the data set then says where it ends.
    const finishFlush = constants.Z_SYNC_FLUSH;
    const inflated = inflateRawSync(bytes.subarray(start), { maxOutputLength: MOST_INFLATED_BYTES, finishFlush });
    return { ...rest, bytes: inflated, start: 0, where: `the inflated data set of ${where}` };
  } catch (error) {
    const reason = `deflated data set from byte ${start} is damaged or too long`;
    throw new UserError(`${where}: the ${reason}: ${messageOf(error)}`, { cause: error });
  }
}

function latin1(bytes: Uint8Array, start: number, length: number): string {
  return String.fromCharCode(...bytes.subarray(start, start + length));
}

function hex(element: number): string {
  return element.toString(16).padStart(4, '0').toUpperCase();
}
