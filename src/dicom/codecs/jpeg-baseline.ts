import sharp from 'sharp';
import { expected, messageOf, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { readJpegFrame } from './jpeg-frame.ts';
import { requireFewScans } from './jpeg-scans.ts';
import { requireCompression, requireProcess, requireSize, streamOf } from './stream.ts';

/** A block of 8×8 pixels takes two Huffman codes of a bit or more (ISO/IEC 10918-1, F.1.2), so no honest JPEG has more. */
export const MOST_PIXELS_PER_BYTE = (8 / 2) * 64;

/**
 * Decodes 8-bit JPEG Baseline (ISO/IEC 10918-1, DICOM PS3.5 A.4.1) to one grey channel, or to RGB; progressive streams,
 * which some writers put there, too.
 * Throws UserError where the stream is damaged, cut short, or of another size than the header says (checked before any
 * pixel is decoded). Decoders differ by one grey level, so pixels are never compared by hash across machines.
 */
export async function decodeJpegBaseline(file: DicomFile): Promise<Samples> {
  const stream = streamOf(file);
  const frame = readJpegFrame(stream, file.where);
  requireProcess(file, frame.process, ['baseline', 'extended', 'progressive']);
  requireSize(file, frame);
  requireCompression(file, stream.length * MOST_PIXELS_PER_BYTE, stream.length);
  if (frame.process === 'progressive') requireFewScans(stream, file.where);
  const limitInputPixels = frame.width * frame.height;
  const jpeg = sharp(stream, { limitInputPixels, sequentialRead: true, failOn: 'warning' });
  const wanted = frame.channels === 1 ? jpeg.toColourspace('b-w') : jpeg;
  // Without a limit of time: a busy machine, or one that slept, would take good files for bad ones.
  const { data, info } = await attempt(wanted.raw().toBuffer({ resolveWithObject: true }), file.where);
  if (info.channels === 1) return { channels: 1, data };
  if (info.channels === 3) return { channels: 3, colour: 'RGB', data };
  throw new UserError(expected('1 or 3 channels', `the JPEG of ${file.where}`, info.channels));
}

async function attempt<T>(work: Promise<T>, where: string): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw new UserError(`${where}: damaged JPEG stream: ${messageOf(error)}`, { cause: error });
  }
}
