import dicomParser from 'dicom-parser';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { type DicomHeader, formatTag, readHeader } from './header.ts';
import { describeTransferSyntax } from './transfer-syntaxes.ts';

/** A DICOM file whose pixels have been found but not decoded. */
export interface DicomFile {
  /** What the file is called in messages. */
  where: string;
  header: DicomHeader;
  /** One part for uncompressed pixels, one per fragment for compressed ones: views into the file's bytes. */
  pixelData: readonly Uint8Array[];
  /** Whether the pixels are fragments of a compressed stream. */
  encapsulated: boolean;
}

const PIXEL_DATA = 'x7fe00010';
const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xe000fffe;
const SEQUENCE_END = 0xe0ddfffe;

/**
 * Reads a DICOM file's header and finds its pixel data (PS3.10, PS3.5), without decoding them.
 * Throws UserError naming the file and the byte or tag where the file is no DICOM file, damaged or cut short.
 * @param where what the file is called in messages.
 */
export function parseDicom(bytes: Uint8Array, where: string): DicomFile {
  requirePrefix(bytes, where);
  const dataSet = parseUntilPixels(bytes, where);
  const element = dataSet.elements[PIXEL_DATA];
  if (element === undefined) {
    const received = `a file that ends at byte ${bytes.length} without it`;
    throw new UserError(expected(`pixel data ${formatTag(PIXEL_DATA)}`, where, received));
  }
  const header = readHeader(dataSet, (dataSet.string('x00020010') ?? '').trim(), where);
  const encapsulated = element.length === UNDEFINED_LENGTH;
  const pixelData = encapsulated
    ? readFragments(bytes, element.dataOffset, where)
    : [cut(bytes, element.dataOffset, element.length, where)];
  return { where, header, pixelData, encapsulated };
}

function requirePrefix(bytes: Uint8Array, where: string): void {
  const prefix = String.fromCharCode(...bytes.subarray(128, 132));
  if (prefix === 'DICM') return;
  throw new UserError(expected('the letters DICM at byte 128', where, prefix, 'This is not a DICOM file.'));
}

/** dicom-parser throws strings, bare objects and errors of its own making: all become one sentence. */
function parseUntilPixels(bytes: Uint8Array, where: string): dicomParser.DataSet {
  try {
    return dicomParser.parseDicom(bytes, { untilTag: PIXEL_DATA, inflater: () => refuseDeflated(where) });
  } catch (thrown) {
    const inner = unwrap(thrown);
    if (inner instanceof UserError) throw inner;
    const reason = messageOf(inner).replace(/^dicomParser[\w.:]* ?/, '');
    throw new UserError(`${where}: damaged or cut short DICOM header (${bytes.length} bytes): ${reason}`, {
      cause: inner,
    });
  }
}

/** A deflated data set would be inflated whole before anything in it could be checked. */
function refuseDeflated(where: string): never {
  throw new UserError(`${where}: unsupported transfer syntax ${describeTransferSyntax('1.2.840.10008.1.2.1.99')}`);
}

function unwrap(thrown: unknown): unknown {
  return typeof thrown === 'object' && thrown !== null && 'exception' in thrown ? thrown.exception : thrown;
}

/**
 * The fragments of encapsulated pixel data (PS3.5, A.4), each cut by its stated length: bytes that look like item tags
 * occur inside real JPEG streams, so searching for tags would break them. The first item is the offset table.
 */
function readFragments(bytes: Uint8Array, start: number, where: string): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const items: Uint8Array[] = [];
  for (let at = start; ; ) {
    if (at + 8 > bytes.length) throw cutShort(where, at, 8, bytes.length);
    const tag = view.getUint32(at, true);
    const length = view.getUint32(at + 4, true);
    if (tag === SEQUENCE_END) break;
    if (tag !== ITEM) {
      const received = tag.toString(16).padStart(8, '0');
      throw new UserError(expected('an item or the end of the pixel data', `byte ${at} of ${where}`, received));
    }
    items.push(cut(bytes, at + 8, length, where));
    at += 8 + length;
  }
  const fragments = items.slice(1).filter((item) => item.length > 0);
  if (fragments.length > 0) return fragments;
  throw new UserError(expected('at least one fragment of pixels', `byte ${start} of ${where}`, 'none'));
}

function cut(bytes: Uint8Array, start: number, length: number, where: string): Uint8Array {
  if (start + length > bytes.length) throw cutShort(where, start, length, bytes.length);
  return bytes.subarray(start, start + length);
}

function cutShort(where: string, start: number, length: number, size: number): UserError {
  const received = `a file of ${size} bytes`;
  return new UserError(
    expected(`${length} bytes of pixel data from byte ${start}`, where, received, 'It is cut short.'),
  );
}
