import { expected, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import type { StoredPixels } from '../stored-pixels.ts';

/**
 * Reads uncompressed little-endian pixels (PS3.5, A.1 and A.2) of 8 or 16 allocated bits: the `bitsStored` bits below
 * and at the high bit, sign-extended where signed; bits outside (old overlays) are dropped.
 * Throws UserError where the file holds fewer bytes than its rows and columns ask for.
 */
export async function decodeUncompressed(file: DicomFile): Promise<StoredPixels> {
  const { rows, columns, bitsAllocated } = file.header;
  const bytes = file.pixelData[0]!;
  const wanted = (rows * columns * bitsAllocated) / 8;
  if (file.encapsulated || bytes.length < wanted) {
    const received = file.encapsulated ? 'compressed fragments' : `${bytes.length} bytes`;
    throw new UserError(expected(`${wanted} bytes (${columns}×${rows})`, `the pixels of ${file.where}`, received));
  }
  return { width: columns, height: rows, data: readValues(bytes, rows * columns, file.header) };
}

function readValues(bytes: Uint8Array, count: number, header: DicomFile['header']): Int32Array {
  const { bitsAllocated, bitsStored, highBit, signed } = header;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const left = 31 - highBit;
  const right = 32 - bitsStored;
  const values = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const raw = bitsAllocated === 8 ? bytes[i]! : view.getUint16(2 * i, true);
    values[i] = signed ? (raw << left) >> right : (raw << left) >>> right;
  }
  return values;
}
