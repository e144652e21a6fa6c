import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { readJpegFrame } from './jpeg-frame.ts';
import { decodeNatively } from './native-codecs.ts';
import { requireCompression, requireProcess, requireSize, streamOf } from './stream.ts';

/** Every sample takes a Huffman code of a bit or more (ISO/IEC 10918-1, H.1.2). */
const MOST_PIXELS_PER_BYTE = 8;

/**
 * Decodes JPEG Lossless (ISO/IEC 10918-1 process 14, any predictor; PS3.5 A.4.2) exactly.
 * Throws UserError where the stream is of another process or size than the header says, damaged or cut short.
 */
export async function decodeJpegLossless(file: DicomFile): Promise<Samples> {
  const stream = streamOf(file);
  const frame = readJpegFrame(stream, file.where);
  requireProcess(file, frame.process, ['lossless']);
  requireSize(file, frame);
  requireCompression(file, stream.length * MOST_PIXELS_PER_BYTE, stream.length);
  return await decodeNatively('decodeJpeg', stream, file);
}
