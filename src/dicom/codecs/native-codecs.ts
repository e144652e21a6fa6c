import { expected, messageOf, UserError } from '../../core/errors.ts';
import type { DicomFile } from '../parse.ts';
import type { Samples } from '../stored-pixels.ts';
import { withSign } from './samples.ts';

export type NativeDecoder = 'decodeJpeg' | 'decodeJpegLs' | 'decodeJpeg2000';

/** Memory of the decoders' instance beyond which it is dropped after an image: WebAssembly never gives any back. */
const MOST_KEPT_BYTES = 2 ** 29;

/** What an earlier failure may have left half done is not built upon: the next image gets a fresh instance. */
let ready: Promise<Decoders> | undefined;

type Decoders = Pick<typeof import('dcmjs-codecs'), 'Context' | 'NativeCodecs'>;

/**
 * Decodes a compressed stream with one of dcmjs-codecs' decoders (libjpeg with 8, 12 and 16 bits, CharLS, OpenJPEG),
 * which run as WebAssembly in an address space of their own, at most 2 GiB.
 * Throws UserError with the decoder's reason where the stream is damaged.
 * @param stream whose own header has been held against the file's.
 */
export async function decodeNatively(decoder: NativeDecoder, stream: Uint8Array, file: DicomFile): Promise<Samples> {
  ready ??= loadDecoders();
  const { Context, NativeCodecs } = await ready;
  try {
    const image = new Context(describe(stream, file));
    const context = NativeCodecs[decoder](image, { convertColorspaceToRgb: false });
    const bytes = context.getDecodedBuffer() ?? new Uint8Array(0);
    return readSamples(bytes, file);
  } catch (error) {
    drop(NativeCodecs);
    if (error instanceof UserError) throw error;
    const reason = messageOf(error)
      .replace(/^\w+::\w+::/, '')
      .trim();
    throw new UserError(`${file.where}: damaged compressed image: ${reason}`, { cause: error });
  } finally {
    if (memoryBytes(NativeCodecs) > MOST_KEPT_BYTES) drop(NativeCodecs);
  }
}

/** Only where they are needed: the competition's own files need none, and loading takes a fifth of a second a thread. */
async function loadDecoders(): Promise<Decoders> {
  const { default: decoders } = await import('dcmjs-codecs');
  await decoders.NativeCodecs.initializeAsync();
  return decoders;
}

function describe(stream: Uint8Array, { header }: DicomFile) {
  return {
    width: header.columns,
    height: header.rows,
    bitsAllocated: header.bitsAllocated,
    bitsStored: header.bitsStored,
    samplesPerPixel: header.samplesPerPixel,
    pixelRepresentation: header.signed ? 1 : 0,
    planarConfiguration: 0,
    photometricInterpretation: header.photometric,
    encodedBuffer: stream,
  };
}

function readSamples(bytes: Uint8Array, { header, where }: DicomFile): Samples {
  const { rows, columns, samplesPerPixel, bitsAllocated } = header;
  const count = rows * columns * samplesPerPixel;
  const wanted = (count * bitsAllocated) / 8;
  if (bytes.length !== wanted) {
    throw new UserError(expected(`${wanted} bytes`, `the decoded image of ${where}`, bytes.length));
  }
  // The copy is aligned, and outlives the decoder's memory.
  const own = bytes.slice();
  const values = bitsAllocated === 8 ? new Int32Array(own) : new Uint16Array(own.buffer);
  return { channels: samplesPerPixel === 3 ? 3 : 1, data: withSign(values, header) };
}

function drop(codecs: Decoders['NativeCodecs']): void {
  codecs.release();
  ready = undefined;
}

function memoryBytes(codecs: Decoders['NativeCodecs']): number {
  const { wasmApi } = codecs as unknown as { wasmApi?: { wasmMemory: { buffer: ArrayBuffer } } };
  return wasmApi?.wasmMemory.buffer.byteLength ?? 0;
}
