import { expected, UserError } from '../../core/errors.ts';
import type { StreamSize } from './stream.ts';

/** Which of ISO/IEC 10918-1's processes (table B.1) or 14495-1's a frame header announces. */
export type JpegProcess = 'baseline' | 'extended' | 'progressive' | 'lossless' | 'JPEG-LS';

/** Start-of-frame markers of the processes that DICOM allows or allowed once (progressive), and that are decoded here. */
const FRAMES: Readonly<Record<number, JpegProcess>> = {
  192: 'baseline',
  193: 'extended',
  194: 'progressive',
  195: 'lossless',
  247: 'JPEG-LS',
};

/**
 * Finds the frame header of a JPEG or JPEG-LS stream by walking its segments (ISO/IEC 10918-1, B.1.1), and so the size
 * it declares, before anything is decoded.
 * Throws UserError naming the byte where the stream is not one of these, or cut short.
 */
export function readJpegFrame(stream: Uint8Array, where: string): StreamSize & { process: JpegProcess } {
  const fail = (what: string, at: number) =>
    new UserError(expected(what, `byte ${at} of the compressed image of ${where}`, [...stream.subarray(at, at + 4)]));
  if (stream[0] !== 0xff || stream[1] !== 0xd8) throw fail('a JPEG stream (FF D8)', 0);
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  for (let at = 2; ; ) {
    if (at + 4 > stream.length || stream[at] !== 0xff) throw fail('a JPEG segment before the frame header', at);
    const marker = stream[at + 1]!;
    const length = view.getUint16(at + 2);
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (length < 2 || at + 2 + length > stream.length) throw fail('a whole JPEG segment', at);
    if (isFrame(marker)) {
      const process = FRAMES[marker];
      if (process === undefined || length < 8) throw fail('a frame of a JPEG process that DICOM allows', at);
      const [height, width] = [view.getUint16(at + 5), view.getUint16(at + 7)];
      return { process, precision: stream[at + 4]!, height, width, channels: stream[at + 9]! };
    }
    at += 2 + length;
  }
}

/** SOF0 to SOF15 without DHT, JPG and DAC, and JPEG-LS's SOF55. */
function isFrame(marker: number): boolean {
  if (marker === 0xc4 || marker === 0xc8 || marker === 0xcc) return false;
  return (marker >= 0xc0 && marker <= 0xcf) || marker === 0xf7;
}
