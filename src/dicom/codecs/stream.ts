import { expected, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import { describeTransferSyntax } from '../transfer-syntaxes.ts';

/** The size that an image stream declares of itself. */
export interface StreamSize {
  width: number;
  height: number;
  channels: number;
  /** Bits of a sample. */
  precision: number;
}

/**
 * The one frame's compressed stream, its fragments joined.
 * Throws UserError where the pixels are not compressed at all.
 */
export function streamOf(file: DicomFile): Uint8Array {
  if (!file.encapsulated) {
    throw new UserError(expected('compressed fragments', `the pixels of ${file.where}`, 'uncompressed pixels'));
  }
  return file.pixelData.length === 1 ? file.pixelData[0]! : Buffer.concat(file.pixelData);
}

/**
 * Holds what a stream declares of itself against the header, before a decoder allocates by it.
 * Throws UserError where they differ or the samples are wider than 16 bits.
 */
export function requireSize(file: DicomFile, { width, height, channels, precision }: StreamSize): void {
  const { rows, columns, samplesPerPixel } = file.header;
  const where = `the compressed image of ${file.where}`;
  if (width !== columns || height !== rows) {
    throw new UserError(expected(`${columns}×${rows} as its header says`, where, `${width}×${height}`));
  }
  if (channels !== samplesPerPixel) {
    throw new UserError(expected(`${samplesPerPixel} samples per pixel as its header says`, where, channels));
  }
  if (precision < 2 || precision > 16) throw new UserError(expected('2 to 16 bits', where, precision));
}

/** Throws UserError where the header declares more pixels than a stream of this length can possibly hold. */
export function requireCompression(file: DicomFile, mostPixels: number, bytes: number): void {
  const { rows, columns } = file.header;
  if (rows * columns <= mostPixels) return;
  const what = `enough bytes for ${columns}×${rows} pixels`;
  throw new UserError(expected(what, `the compressed image of ${file.where}`, `${bytes} bytes`));
}

/** Throws UserError where a stream is of another process than its transfer syntax allows. */
export function requireProcess(file: DicomFile, process: string, allowed: readonly string[]): void {
  if (allowed.includes(process)) return;
  const syntax = describeTransferSyntax(file.header.transferSyntax);
  const what = `a frame of process ${allowed.join(' or ')}, as ${syntax} has`;
  throw new UserError(expected(what, `the compressed image of ${file.where}`, process));
}
