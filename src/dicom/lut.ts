import type { DataSet } from 'dicom-parser';
import { expected, UserError } from '../core/errors.ts';
import { formatTag } from './data-set.ts';

/** A look-up table of a Modality LUT or VOI LUT Sequence (PS3.3, C.11.1.1 and C.11.2.1.1). */
export interface Lut {
  /** The input that the first entry stands for; smaller inputs take the first entry, larger ones the last. */
  first: number;
  /** Bits of an entry, 8 to 16. */
  bits: number;
  entries: Uint16Array;
}

const DESCRIPTOR = 'x00283002';
const DATA = 'x00283006';

/**
 * Reads the table of a sequence's first item, or undefined where the sequence is absent or empty.
 * Throws UserError where the descriptor is not three numbers or declares more entries than the data hold.
 * @param signed whether the table's input is signed, and so its first value.
 */
export function readLut(dataSet: DataSet, sequence: string, signed: boolean, where: string): Lut | undefined {
  const item = dataSet.elements[sequence]?.items?.[0]?.dataSet;
  if (item === undefined) return undefined;
  const descriptor = item.elements[DESCRIPTOR];
  const data = item.elements[DATA];
  const place = (tag: string) => `${formatTag(tag)} inside ${formatTag(sequence)} of ${where}`;
  if (descriptor === undefined || descriptor.length < 6) {
    throw new UserError(expected('three numbers', place(DESCRIPTOR), `${descriptor?.length ?? 0} bytes`));
  }
  // 0 stands for 65,536, which 16 bits cannot hold.
  const count = item.uint16(DESCRIPTOR, 0)! || 65_536;
  const first = (signed ? item.int16(DESCRIPTOR, 1) : item.uint16(DESCRIPTOR, 1))!;
  const bits = item.uint16(DESCRIPTOR, 2)!;
  if (bits < 8 || bits > 16) throw new UserError(expected('8 to 16 bits', place(DESCRIPTOR), bits));
  const size = data?.length ?? 0;
  // 8-bit entries may be packed two to a word.
  const packed = bits === 8 && size < 2 * count;
  if (size < (packed ? count : 2 * count)) {
    throw new UserError(expected(`${count} entries`, place(DATA), `${size} bytes`));
  }
  const { byteArray } = item;
  const start = data!.dataOffset;
  const entry = (i: number) => (packed ? byteArray[start + i]! : item.uint16(DATA, i)!);
  return { first, bits, entries: Uint16Array.from({ length: count }, (_, i) => entry(i)) };
}

/** The table's entry for an input; inputs outside take the nearest (PS3.3, C.11.1.1). */
export function lookUp({ first, entries }: Lut, input: number): number {
  const index = Math.round(input) - first;
  return entries[Math.min(Math.max(index, 0), entries.length - 1)]!;
}
