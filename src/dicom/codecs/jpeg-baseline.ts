import sharp from 'sharp';
import { expected, messageOf, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import type { StoredPixels } from '../stored-pixels.ts';

/** A block of 8×8 pixels takes two Huffman codes of a bit or more (ISO/IEC 10918-1, F.1.2), so no honest JPEG has more. */
const MOST_PIXELS_PER_BYTE = (8 / 2) * 64;

/**
 * Decodes 8-bit JPEG Baseline (ISO/IEC 10918-1, DICOM PS3.5 A.4.1) to one grey channel.
 * Throws UserError where the stream is damaged, cut short, or of another size than the header says (checked before any
 * pixel is decoded). Decoders differ by one grey level, so pixels are never compared by hash across machines.
 */
export async function decodeJpegBaseline(file: DicomFile): Promise<StoredPixels> {
  const { rows, columns } = file.header;
  const stream = file.pixelData.length === 1 ? file.pixelData[0]! : Buffer.concat(file.pixelData);
  if (stream[0] !== 0xff || stream[1] !== 0xd8) {
    throw new UserError(expected('a JPEG stream (FF D8)', `the pixels of ${file.where}`, [stream[0], stream[1]]));
  }
  const jpeg = sharp(stream, { limitInputPixels: false, sequentialRead: true, failOn: 'warning' });
  const { width, height } = await attempt(jpeg.metadata(), file.where);
  if (width !== columns || height !== rows) {
    const received = `${width}×${height}`;
    throw new UserError(expected(`${columns}×${rows} as its header says`, `the JPEG of ${file.where}`, received));
  }
  if (width * height > stream.length * MOST_PIXELS_PER_BYTE) {
    const received = `${stream.length} bytes`;
    throw new UserError(expected(`enough bytes for ${width}×${height} pixels`, `the JPEG of ${file.where}`, received));
  }
  const pixels = await attempt(jpeg.toColourspace('b-w').raw().toBuffer({ resolveWithObject: true }), file.where);
  if (pixels.info.channels !== 1)
    throw new Error(`${file.where}: the JPEG decoded to ${pixels.info.channels} channels.`);
  return { width, height, data: pixels.data };
}

async function attempt<T>(work: Promise<T>, where: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new UserError(`${where}: damaged JPEG stream: ${messageOf(error)}`, { cause: error });
  }
}
