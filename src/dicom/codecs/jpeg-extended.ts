import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { MOST_PIXELS_PER_BYTE } from './jpeg-baseline.ts';
import { readJpegFrame } from './jpeg-frame.ts';
import { decodeNatively } from './native-codecs.ts';
import { requireCompression, requireProcess, requireSize, streamOf } from './stream.ts';

/**
 * Decodes JPEG Extended (ISO/IEC 10918-1 processes 2 and 4, 8 or 12 bit; PS3.5 A.4.1); decoders differ by one level.
 * Throws UserError where the stream is of another process or size than the header says, damaged or cut short.
 */
export async function decodeJpegExtended(file: DicomFile): Promise<Samples> {
  const stream = streamOf(file);
  const frame = readJpegFrame(stream, file.where);
  requireProcess(file, frame.process, ['baseline', 'extended']);
  requireSize(file, frame);
  requireCompression(file, stream.length * MOST_PIXELS_PER_BYTE, stream.length);
  return await decodeNatively('decodeJpeg', stream, file);
}
