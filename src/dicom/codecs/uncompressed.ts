import { expected, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { EXPLICIT_BIG_ENDIAN } from '../transfer-syntaxes.ts';
import { interleave, toStored } from './samples.ts';

/**
 * Reads uncompressed pixels (PS3.5, A.1 to A.3 and A.5) of 8 or 16 allocated bits, in the byte order of the transfer
 * syntax: the `bitsStored` bits below and at the high bit, sign-extended where signed; bits outside (old overlays) are
 * dropped.
 * Throws UserError where the file holds fewer bytes than its rows and columns ask for.
 */
export async function decodeUncompressed(file: DicomFile): Promise<Samples> {
  const { rows, columns, bitsAllocated, samplesPerPixel, photometric } = file.header;
  const bytes = file.pixelData[0]!;
  const count = rows * columns * samplesPerPixel;
  const wanted = (count * bitsAllocated) / 8;
  if (file.encapsulated || bytes.length < wanted) {
    const received = file.encapsulated ? 'compressed fragments' : `${bytes.length} bytes`;
    throw new UserError(expected(`${wanted} bytes (${columns}×${rows})`, `the pixels of ${file.where}`, received));
  }
  if (photometric === 'YBR_FULL_422') {
    throw new UserError(`${file.where}: uncompressed YBR_FULL_422 (0028,0004) pixels are not read.`);
  }
  return interleave(toStored(readWords(bytes, count, file), file.header), file.header);
}

/** A word of 16 bits has the file's byte order; so have the pairs of 8-bit samples that OW words hold (PS3.5, A.3). */
function readWords(bytes: Uint8Array, count: number, { header, pixelVr }: DicomFile): Int32Array {
  const bigEndian = header.transferSyntax === EXPLICIT_BIG_ENDIAN;
  const words = new Int32Array(count);
  if (header.bitsAllocated === 8) {
    const swapped = bigEndian && pixelVr === 'OW' ? 1 : 0;
    for (let i = 0; i < count; i++) words[i] = bytes[i ^ swapped]!;
    return words;
  }
  const [low, high] = bigEndian ? [1, 0] : [0, 1];
  for (let i = 0, at = 0; i < count; i++, at += 2) words[i] = bytes[at + low]! | (bytes[at + high]! << 8);
  return words;
}
