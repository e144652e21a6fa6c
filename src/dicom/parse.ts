import { expected, UserError } from '../core/errors.ts';
import { type Container, openContainer } from './container.ts';
import { formatTag, PIXEL_DATA, readDataSet } from './data-set.ts';
import { type DicomHeader, readHeader } from './header.ts';

/** A DICOM file whose pixels have been found but not decoded. */
export interface DicomFile {
  /** What the file is called in messages. */
  where: string;
  header: DicomHeader;
  /** One part for uncompressed pixels, one per fragment for compressed ones: views into the file's bytes. */
  pixelData: readonly Uint8Array[];
  /** Whether the pixels are fragments of a compressed stream. */
  encapsulated: boolean;
  /** Value representation of the pixel data: OB, OW, …, or '' where VRs are implicit. */
  pixelVr: string;
  /** What is missing of the file format around the data set. */
  notes: string[];
}

const UNDEFINED_LENGTH = 0xffffffff;
const ITEM = 0xe000fffe;
const SEQUENCE_END = 0xe0ddfffe;

/**
 * Reads a DICOM file's header and finds its pixel data (PS3.10, PS3.5), without decoding them. Preamble, meta group and
 * transfer syntax may be missing where the data set itself tells how it is written; that is noted.
 * Throws UserError naming the file and the byte or tag where the file is no DICOM file, damaged or cut short.
 * @param where what the file is called in messages.
 */
export function parseDicom(bytes: Uint8Array, where: string): DicomFile {
  const container = openContainer(bytes, where);
  const dataSet = readDataSet(container);
  const element = dataSet.elements[PIXEL_DATA];
  if (element === undefined) {
    const received = `a file that ends at byte ${container.bytes.length} without it`;
    throw new UserError(expected(`pixel data ${formatTag(PIXEL_DATA)}`, where, received));
  }
  const header = readHeader(dataSet, container.transferSyntax, where);
  const encapsulated = element.length === UNDEFINED_LENGTH;
  const pixelData = encapsulated
    ? readFragments(container, element.dataOffset)
    : [cut(container, element.dataOffset, element.length)];
  return { where, header, pixelData, encapsulated, pixelVr: element.vr ?? '', notes: container.notes };
}

/**
 * The fragments of encapsulated pixel data (PS3.5, A.4), each cut by its stated length: bytes that look like item tags
 * occur inside real JPEG streams, so searching for tags would break them. The first item is the offset table.
 */
function readFragments(container: Container, start: number): Uint8Array[] {
  const { bytes, where } = container;
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
    items.push(cut(container, at + 8, length));
    at += 8 + length;
  }
  const fragments = items.slice(1).filter((item) => item.length > 0);
  if (fragments.length > 0) return fragments;
  throw new UserError(expected('at least one fragment of pixels', `byte ${start} of ${where}`, 'none'));
}

function cut({ bytes, where }: Container, start: number, length: number): Uint8Array {
  if (start + length > bytes.length) throw cutShort(where, start, length, bytes.length);
  return bytes.subarray(start, start + length);
}

function cutShort(where: string, start: number, length: number, size: number): UserError {
  const received = `a file of ${size} bytes`;
  return new UserError(
    expected(`${length} bytes of pixel data from byte ${start}`, where, received, 'It is cut short.'),
  );
}
