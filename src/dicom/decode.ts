import { expected, UserError } from '../core/errors.ts';
import { decodeJpegBaseline } from './codecs/jpeg-baseline.ts';
import { decodeUncompressed } from './codecs/uncompressed.ts';
import type { DicomHeader } from './header.ts';
import type { DicomFile } from './parse.ts';
import type { StoredPixels } from './stored-pixels.ts';
import {
  describeTransferSyntax,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
  JPEG_BASELINE,
} from './transfer-syntaxes.ts';

type Codec = (file: DicomFile) => Promise<StoredPixels>;

/** A new codec is one file and one line here. */
const CODECS: Readonly<Record<string, Codec>> = {
  [IMPLICIT_LITTLE_ENDIAN]: decodeUncompressed,
  [EXPLICIT_LITTLE_ENDIAN]: decodeUncompressed,
  [JPEG_BASELINE]: decodeJpegBaseline,
};

/**
 * Decodes the one grey frame of a DICOM file to the values it stores.
 * Throws UserError where the transfer syntax is none of ours, the image is not one grey frame of 8 to 16 bits, or the
 * pixels are fewer than the header says.
 */
export async function decodePixels(file: DicomFile): Promise<StoredPixels> {
  const codec = CODECS[file.header.transferSyntax];
  if (codec === undefined) {
    throw new UserError(
      `${file.where}: unsupported transfer syntax ${describeTransferSyntax(file.header.transferSyntax)}`,
    );
  }
  requireGreyFrame(file.header, file.where);
  return await codec(file);
}

function requireGreyFrame(header: DicomHeader, where: string): void {
  const require = (holds: boolean, what: string, name: string, received: unknown) => {
    if (!holds) throw new UserError(expected(what, `${name} of ${where}`, received));
  };
  const { photometric, samplesPerPixel, frames, bitsAllocated, bitsStored, highBit } = header;
  const grey = photometric === 'MONOCHROME1' || photometric === 'MONOCHROME2';
  require(grey, 'MONOCHROME1 or MONOCHROME2', 'PhotometricInterpretation (0028,0004)', photometric);
  require(samplesPerPixel === 1, '1', 'SamplesPerPixel (0028,0002)', samplesPerPixel);
  require(frames === 1, '1', 'NumberOfFrames (0028,0008)', frames);
  require(bitsAllocated === 8 || bitsAllocated === 16, '8 or 16', 'BitsAllocated (0028,0100)', bitsAllocated);
  require(bitsStored >= 8 &&
    bitsStored <= bitsAllocated, `8 to ${bitsAllocated}`, 'BitsStored (0028,0101)', bitsStored);
  const highest = `${bitsStored - 1} to ${bitsAllocated - 1}`;
  require(highBit >= bitsStored - 1 && highBit < bitsAllocated, highest, 'HighBit (0028,0102)', highBit);
}
