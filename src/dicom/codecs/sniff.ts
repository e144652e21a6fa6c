import type { DicomFile } from '../parse.ts';
import {
  describeTransferSyntax,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  JPEG_2000,
  JPEG_BASELINE,
  JPEG_EXTENDED,
  JPEG_LOSSLESS,
  JPEG_LS_NEAR_LOSSLESS,
} from '../transfer-syntaxes.ts';
import { type JpegProcess, readJpegFrame } from './jpeg-frame.ts';

const UNCOMPRESSED = [IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN, EXPLICIT_BIG_ENDIAN];
const SYNTAXES: Readonly<Record<JpegProcess, string>> = {
  baseline: JPEG_BASELINE,
  extended: JPEG_EXTENDED,
  progressive: JPEG_BASELINE,
  lossless: JPEG_LOSSLESS,
  'JPEG-LS': JPEG_LS_NEAR_LOSSLESS,
};

/**
 * Some writers put a compressed stream into a file whose transfer syntax, if it has one, says uncompressed. The stream
 * itself says what it is: gives the file with that transfer syntax and a note.
 * @returns the file as it is where its transfer syntax may be true, or the stream is none that is known.
 */
export function correctSyntax(file: DicomFile): DicomFile {
  const { transferSyntax } = file.header;
  if (!file.encapsulated || !UNCOMPRESSED.includes(transferSyntax)) return file;
  const found = syntaxOf(file.pixelData[0]!, file.where);
  if (found === undefined) return file;
  const note = `the pixels are ${describeTransferSyntax(found)}, not ${describeTransferSyntax(transferSyntax)}`;
  return { ...file, header: { ...file.header, transferSyntax: found }, notes: [...file.notes, note] };
}

function syntaxOf(stream: Uint8Array, where: string): string | undefined {
  if (stream[0] === 0xff && stream[1] === 0x4f) return JPEG_2000;
  if (stream[0] === 0xff && stream[1] === 0xd8) return SYNTAXES[readJpegFrame(stream, where).process];
  return undefined;
}
