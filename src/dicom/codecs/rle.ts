import { expected, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { interleave, toStored } from './samples.ts';
import { requireCompression, streamOf } from './stream.ts';

const HEADER_BYTES = 64;
/** Two bytes stand for at most 128. */
const MOST_BYTES_PER_BYTE = 64;

/**
 * Decodes RLE Lossless (PS3.5, annex G): one segment per byte of a sample, the most significant first, each packed by
 * itself as PackBits runs.
 * Throws UserError naming segment and byte where a segment is missing, lies outside the fragment, or ends early.
 */
export async function decodeRle(file: DicomFile): Promise<Samples> {
  const { rows, columns, bitsAllocated, samplesPerPixel } = file.header;
  const stream = streamOf(file);
  const bytesPerSample = bitsAllocated / 8;
  const pixels = rows * columns;
  requireCompression(file, (MOST_BYTES_PER_BYTE / bytesPerSample / samplesPerPixel) * stream.length, stream.length);
  const segments = segmentsOf(stream, bytesPerSample * samplesPerPixel, file.where);
  const words = new Int32Array(pixels * samplesPerPixel);
  const bytes = new Uint8Array(pixels);
  segments.forEach((segment, index) => {
    unpack(stream, segment, bytes, `segment ${index + 1} of the RLE pixels of ${file.where}`);
    const first = Math.floor(index / bytesPerSample) * pixels;
    for (let i = 0; i < pixels; i++) words[first + i] = (words[first + i]! << 8) | bytes[i]!;
  });
  return interleave(toStored(words, file.header), { ...file.header, planar: true });
}

interface Segment {
  start: number;
  end: number;
}

/** The header: how many segments there are, then where each begins, as 32-bit numbers (PS3.5, G.5). */
function segmentsOf(stream: Uint8Array, wanted: number, where: string): Segment[] {
  if (stream.length < HEADER_BYTES) {
    throw new UserError(expected(`a header of ${HEADER_BYTES} bytes`, `the RLE pixels of ${where}`, stream.length));
  }
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const count = view.getUint32(0, true);
  if (count !== wanted) throw new UserError(expected(`${wanted} segments`, `the RLE pixels of ${where}`, count));
  const starts = Array.from({ length: count }, (_, i) => view.getUint32(4 + 4 * i, true));
  return starts.map((start, i) => {
    const end = starts[i + 1] ?? stream.length;
    if (start >= HEADER_BYTES && start <= end && end <= stream.length) return { start, end };
    const what = `a place between bytes ${HEADER_BYTES} and ${stream.length}`;
    throw new UserError(expected(what, `segment ${i + 1} of the RLE pixels of ${where}`, `${start} to ${end}`));
  });
}

/** PackBits (PS3.5, G.3.2): n < 128 takes n + 1 bytes as they are, n > 128 repeats one 257 - n times, 128 is nothing. */
function unpack(stream: Uint8Array, { start, end }: Segment, out: Uint8Array, where: string): void {
  let at = start;
  let filled = 0;
  while (filled < out.length) {
    if (at >= end) throw new UserError(expected(`${out.length} bytes`, where, `${filled}, which end at byte ${at}`));
    const n = stream[at++]!;
    if (n < 128) {
      const run = Math.min(n + 1, out.length - filled, end - at);
      out.set(stream.subarray(at, at + run), filled);
      filled += run;
      at += n + 1;
    } else if (n > 128 && at < end) {
      const run = Math.min(257 - n, out.length - filled);
      out.fill(stream[at++]!, filled, filled + run);
      filled += run;
    }
  }
}
