import { expected, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { countBlocks } from './jpeg-2000-blocks.ts';
import { decodeNatively } from './native-codecs.ts';
import { requireSize, type StreamSize, streamOf } from './stream.ts';

/** SOC and SIZ, which every codestream begins with (ISO/IEC 15444-1, A.4.1 and A.5.1). */
const START = [0xff, 0x4f, 0xff, 0x51];
/** SOC, SIZ with one component. */
const SHORTEST = 45;
/** A tile-part's header and its start of data: SOT and SOD. */
const BYTES_PER_TILE = 14;
/** Of honest streams the largest have some tens of thousands; a decoder makes a record of each, and walks over all of them. */
const MOST_PRECINCTS = 2 ** 17;
const MOST_CODE_BLOCKS = 2 ** 20;

/**
 * Decodes JPEG 2000 (ISO/IEC 15444-1; PS3.5 A.4.4), lossless exactly, lossy to within one level between decoders. A
 * colour transform is undone.
 * Throws UserError where the codestream declares another size than the header, more tiles than it has bytes for, more
 * precincts or code-blocks than any honest one, or is damaged or cut short.
 */
export async function decodeJpeg2000(file: DicomFile): Promise<Samples> {
  const stream = streamOf(file);
  requireSize(file, readImageSize(stream, file.where));
  const samples = await decodeNatively('decodeJpeg2000', stream, file);
  return samples.channels === 3 && isTransformed(file) ? { ...samples, colour: 'RGB' } : samples;
}

/** The size of the image area, all components of which must be sampled alike. */
function readImageSize(stream: Uint8Array, where: string): StreamSize {
  const place = `the compressed image of ${where}`;
  const start = [...stream.subarray(0, 4)];
  if (start.join() !== START.join()) {
    throw new UserError(expected('a JPEG 2000 codestream (FF 4F FF 51)', place, start));
  }
  if (stream.length < SHORTEST) throw new UserError(expected(`${SHORTEST} bytes`, place, stream.length));
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const number = (at: number) => view.getUint32(at);
  const channels = view.getUint16(40);
  const [right, bottom, left, top] = [number(8), number(12), number(16), number(20)];
  const [tileWidth, tileHeight, tileLeft, tileTop] = [number(24), number(28), number(32), number(36)];
  const tiles = Math.ceil((right - tileLeft) / tileWidth) * Math.ceil((bottom - tileTop) / tileHeight);
  if (!(tiles * BYTES_PER_TILE <= stream.length)) {
    throw new UserError(expected(`at most ${Math.floor(stream.length / BYTES_PER_TILE)} tiles`, place, tiles));
  }
  const { precincts, codeBlocks } = countBlocks(stream, { tileWidth, tileHeight, tiles, channels });
  if (precincts > MOST_PRECINCTS)
    throw new UserError(expected(`at most ${MOST_PRECINCTS} precincts`, place, precincts));
  if (codeBlocks > MOST_CODE_BLOCKS) {
    throw new UserError(expected(`at most ${MOST_CODE_BLOCKS} code-blocks`, place, codeBlocks));
  }
  for (let i = 0; i < channels; i++) {
    const sampling = [...stream.subarray(43 + 3 * i, 45 + 3 * i)];
    if (sampling.join() !== '1,1') throw new UserError(expected('components of full resolution', place, sampling));
  }
  return { width: right - left, height: bottom - top, channels, precision: (stream[42]! & 0x7f) + 1 };
}

function isTransformed({ header }: DicomFile): boolean {
  return header.photometric === 'YBR_ICT' || header.photometric === 'YBR_RCT';
}
