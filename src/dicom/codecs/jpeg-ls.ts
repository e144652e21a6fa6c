import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { readJpegFrame } from './jpeg-frame.ts';
import { decodeNatively } from './native-codecs.ts';
import { requireProcess, requireSize, streamOf } from './stream.ts';

/**
 * Decodes JPEG-LS, lossless or near-lossless (ISO/IEC 14495-1; PS3.5 A.4.3), to exactly what the stream says.
 * Throws UserError where the stream is of another process or size than the header says, damaged or cut short.
 */
export async function decodeJpegLs(file: DicomFile): Promise<Samples> {
  const stream = streamOf(file);
  const frame = readJpegFrame(stream, file.where);
  requireProcess(file, frame.process, ['JPEG-LS']);
  requireSize(file, frame);
  return await decodeNatively('decodeJpegLs', stream, file);
}
