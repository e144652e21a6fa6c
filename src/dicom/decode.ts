import { expected, UserError } from '../core/errors.ts';
import { decodeJpeg2000 } from './codecs/jpeg-2000.ts';
import { decodeJpegBaseline } from './codecs/jpeg-baseline.ts';
import { decodeJpegExtended } from './codecs/jpeg-extended.ts';
import { decodeJpegLossless } from './codecs/jpeg-lossless.ts';
import { decodeJpegLs } from './codecs/jpeg-ls.ts';
import { decodeRle } from './codecs/rle.ts';
import { correctSyntax } from './codecs/sniff.ts';
import { decodeUncompressed } from './codecs/uncompressed.ts';
import { toGrey } from './grey.ts';
import type { DicomHeader } from './header.ts';
import type { DicomFile } from './parse.ts';
import type { Samples, StoredPixels } from './stored-pixels.ts';
import * as syntax from './transfer-syntaxes.ts';

type Codec = (file: DicomFile) => Promise<Samples>;

/** A new codec is one file and one line here. */
const CODECS: Readonly<Record<string, Codec>> = {
  [syntax.IMPLICIT_LITTLE_ENDIAN]: decodeUncompressed,
  [syntax.EXPLICIT_LITTLE_ENDIAN]: decodeUncompressed,
  [syntax.EXPLICIT_BIG_ENDIAN]: decodeUncompressed,
  [syntax.DEFLATED]: decodeUncompressed,
  [syntax.RLE_LOSSLESS]: decodeRle,
  [syntax.JPEG_BASELINE]: decodeJpegBaseline,
  [syntax.JPEG_EXTENDED]: decodeJpegExtended,
  [syntax.JPEG_LOSSLESS]: decodeJpegLossless,
  [syntax.JPEG_LOSSLESS_FIRST_ORDER]: decodeJpegLossless,
  [syntax.JPEG_LS_LOSSLESS]: decodeJpegLs,
  [syntax.JPEG_LS_NEAR_LOSSLESS]: decodeJpegLs,
  [syntax.JPEG_2000_LOSSLESS]: decodeJpeg2000,
  [syntax.JPEG_2000]: decodeJpeg2000,
};

/** Some compressions know no limit, so a file of a few bytes could declare gigabytes. No radiograph is half as large. */
const MOST_PIXELS = 2 ** 26;
const COLOURS = ['RGB', 'YBR_FULL', 'YBR_FULL_422', 'YBR_ICT', 'YBR_RCT'];

/**
 * Decodes the one frame of a DICOM file to the values it stores; colour becomes its brightness, with a note.
 * Throws UserError where the transfer syntax is none of ours, the image is not one frame of 8 to 16 bits or has more
 * than 2^26 pixels, or the pixels are damaged or fewer than the header says.
 */
export async function decodePixels(given: DicomFile): Promise<StoredPixels> {
  const file = correctSyntax(given);
  const { transferSyntax } = file.header;
  const codec = Object.hasOwn(CODECS, transferSyntax) ? CODECS[transferSyntax] : undefined;
  if (codec === undefined) {
    throw new UserError(`${file.where}: unsupported transfer syntax ${syntax.describeTransferSyntax(transferSyntax)}`);
  }
  requireFrame(file.header, file.where);
  const pixels = toGrey(await codec(file), file.header);
  return { ...pixels, notes: [...file.notes, ...(pixels.notes ?? [])] };
}

function requireFrame(header: DicomHeader, where: string): void {
  const require = (holds: boolean, what: string, name: string, received: unknown) => {
    if (!holds) throw new UserError(expected(what, `${name} of ${where}`, received));
  };
  const { photometric, samplesPerPixel, frames, bitsAllocated, bitsStored, highBit, rows, columns } = header;
  const grey = photometric === 'MONOCHROME1' || photometric === 'MONOCHROME2';
  const samples = grey ? 1 : 3;
  const known = grey || COLOURS.includes(photometric);
  require(known, 'MONOCHROME1, MONOCHROME2, RGB or YBR', 'PhotometricInterpretation (0028,0004)', photometric);
  require(samplesPerPixel === samples, `${samples}`, 'SamplesPerPixel (0028,0002)', samplesPerPixel);
  require(frames === 1, '1', 'NumberOfFrames (0028,0008)', frames);
  require(bitsAllocated === 8 || bitsAllocated === 16, '8 or 16', 'BitsAllocated (0028,0100)', bitsAllocated);
  require(bitsStored >= 8 &&
    bitsStored <= bitsAllocated, `8 to ${bitsAllocated}`, 'BitsStored (0028,0101)', bitsStored);
  const highest = `${bitsStored - 1} to ${bitsAllocated - 1}`;
  require(highBit >= bitsStored - 1 && highBit < bitsAllocated, highest, 'HighBit (0028,0102)', highBit);
  const size = `Rows × Columns (0028,0010) × (0028,0011)`;
  require(rows * columns <= MOST_PIXELS, `at most ${MOST_PIXELS} pixels`, size, `${columns}×${rows}`);
}
