import { expected } from '../core/errors.ts';

/** A value representation that the writer knows (PS3.5, table 6.2-1). */
export type Vr =
  | 'AE'
  | 'AS'
  | 'CS'
  | 'DA'
  | 'DS'
  | 'IS'
  | 'LO'
  | 'LT'
  | 'PN'
  | 'SH'
  | 'ST'
  | 'TM'
  | 'UI'
  | 'UL'
  | 'US'
  | 'SS'
  | 'OB'
  | 'OW'
  | 'UN'
  | 'UT';

/** One data element: numbers for US, SS and UL, bytes for OB, OW and UN, text (values joined by `\`) for the rest. */
export interface DicomElement {
  /** Group and element as one number: 0x00100020. */
  tag: number;
  vr: Vr;
  value: string | readonly number[] | Uint8Array;
}

/** Stored pixels: native samples, or encapsulated fragments as they are. */
export type PixelData = { native: Uint8Array | Uint16Array | Int16Array } | { fragments: readonly Uint8Array[] };

export interface DicomContent {
  /** One of TRANSFER_SYNTAX, or any other UID whose data set is Explicit VR Little Endian. */
  transferSyntax: string;
  /** The data set, without group 2 and pixel data, in any order. */
  elements: readonly DicomElement[];
  pixelData?: PixelData;
  /** The file meta's SOP Instance UID where it differs from the data set's. */
  mediaStorageSopInstanceUid?: string;
}

/** The transfer syntaxes (PS3.5, annex A) that fixtures are made in. */
export const TRANSFER_SYNTAX = {
  implicitLittleEndian: '1.2.840.10008.1.2',
  explicitLittleEndian: '1.2.840.10008.1.2.1',
  jpegBaseline: '1.2.840.10008.1.2.4.50',
} as const;

const PIXEL_DATA = 0x7fe00010;
/** Names the software that wrote the file (PS3.7, annex D.3.3.2); under 2.25, the root for UUIDs (PS3.5, B.2). */
const IMPLEMENTATION_CLASS_UID = '2.25.271380113370183236906741316190473102937';

/**
 * Writes a DICOM file (PS3.10, 7.1): 128 zero bytes, `DICM`, the file meta group in Explicit VR Little Endian, then the
 * data set in ascending order of tags. Values are padded to even length (PS3.5, 6.2) and otherwise written as given, so
 * that fixtures can be wrong on purpose.
 * @returns the file's bytes.
 */
export function writeDicom(content: DicomContent): Uint8Array {
  const implicit = content.transferSyntax === TRANSFER_SYNTAX.implicitLittleEndian;
  const parts = [Buffer.alloc(128), Buffer.from('DICM', 'latin1'), ...metaGroup(content)];
  const sorted = [...content.elements].sort((a, b) => a.tag - b.tag);
  for (const element of sorted) parts.push(writeElement(element, implicit));
  if (content.pixelData !== undefined) parts.push(...writePixelData(content.pixelData, implicit));
  return Buffer.concat(parts);
}

/** The elements of the Image Pixel module (PS3.3, C.7.6.3) of a grey picture of unsigned or signed samples. */
export function grayPixelElements(pixels: {
  rows: number;
  columns: number;
  bitsAllocated: 8 | 16;
  bitsStored?: number;
  signed?: boolean;
  photometric?: 'MONOCHROME1' | 'MONOCHROME2';
}): DicomElement[] {
  const bitsStored = pixels.bitsStored ?? pixels.bitsAllocated;
  return [
    { tag: 0x00280002, vr: 'US', value: [1] },
    { tag: 0x00280004, vr: 'CS', value: pixels.photometric ?? 'MONOCHROME2' },
    { tag: 0x00280010, vr: 'US', value: [pixels.rows] },
    { tag: 0x00280011, vr: 'US', value: [pixels.columns] },
    { tag: 0x00280100, vr: 'US', value: [pixels.bitsAllocated] },
    { tag: 0x00280101, vr: 'US', value: [bitsStored] },
    { tag: 0x00280102, vr: 'US', value: [bitsStored - 1] },
    { tag: 0x00280103, vr: 'US', value: [pixels.signed === true ? 1 : 0] },
  ];
}

/** Group 2 (PS3.10, 7.1, table 7.1-1), led by its own length. */
function metaGroup(content: DicomContent): Buffer[] {
  const textOf = (tag: number) => {
    const value = content.elements.find((element) => element.tag === tag)?.value;
    return typeof value === 'string' ? value : '';
  };
  const elements: DicomElement[] = [
    { tag: 0x00020001, vr: 'OB', value: Uint8Array.of(0, 1) },
    { tag: 0x00020002, vr: 'UI', value: textOf(0x00080016) },
    { tag: 0x00020003, vr: 'UI', value: content.mediaStorageSopInstanceUid ?? textOf(0x00080018) },
    { tag: 0x00020010, vr: 'UI', value: content.transferSyntax },
    { tag: 0x00020012, vr: 'UI', value: IMPLEMENTATION_CLASS_UID },
  ];
  const group = Buffer.concat(elements.map((element) => writeElement(element, false)));
  return [writeElement({ tag: 0x00020000, vr: 'UL', value: [group.length] }, false), group];
}

function writeElement({ tag, vr, value }: DicomElement, implicit: boolean): Buffer {
  const bytes = encodeValue(vr, value, tag);
  return Buffer.concat([elementHeader(tag, vr, bytes.length, implicit), bytes]);
}

/** Tag, VR and length: PS3.5, 7.1.2 (explicit; the long form has two reserved bytes) and 7.1.3 (implicit). */
function elementHeader(tag: number, vr: Vr, length: number, implicit: boolean): Buffer {
  const long = vr === 'OB' || vr === 'OW' || vr === 'UN' || vr === 'UT';
  const header = Buffer.alloc(!implicit && long ? 12 : 8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
  if (!implicit) header.write(vr, 4, 'latin1');
  if (implicit) header.writeUInt32LE(length, 4);
  else if (long) header.writeUInt32LE(length, 8);
  else header.writeUInt16LE(length, 6);
  return header;
}

/** Text is padded with a space, UIDs and bytes with a zero (PS3.5, 6.2). */
function encodeValue(vr: Vr, value: DicomElement['value'], tag: number): Buffer {
  if (typeof value === 'string') return padEven(Buffer.from(value, 'latin1'), vr === 'UI' ? 0 : 0x20);
  if (value instanceof Uint8Array) return padEven(Buffer.from(value), 0);
  const size = vr === 'UL' ? 4 : 2;
  if (vr !== 'UL' && vr !== 'US' && vr !== 'SS') {
    throw new Error(expected('text or bytes', `element ${tag.toString(16).padStart(8, '0')} of VR ${vr}`, value));
  }
  const bytes = Buffer.alloc(size * value.length);
  value.forEach((number, i) => {
    if (vr === 'SS') bytes.writeInt16LE(number, i * size);
    else bytes.writeUIntLE(number, i * size, size);
  });
  return bytes;
}

/** Native samples are one value (PS3.5, A.1 and A.2: OW, or OB for 8 bits in explicit form); fragments are items. */
function writePixelData(pixels: PixelData, implicit: boolean): Buffer[] {
  if ('fragments' in pixels) return writeFragments(pixels.fragments);
  const { native } = pixels;
  const bytes = padEven(Buffer.from(native.buffer, native.byteOffset, native.byteLength), 0);
  const vr = native instanceof Uint8Array && !implicit ? 'OB' : 'OW';
  return [elementHeader(PIXEL_DATA, vr, bytes.length, implicit), bytes];
}

/** PS3.5, A.4: undefined length, an empty basic offset table, one item a fragment, a sequence delimiter. */
function writeFragments(fragments: readonly Uint8Array[]): Buffer[] {
  const parts = [elementHeader(PIXEL_DATA, 'OB', 0xffffffff, false), itemHeader(0xe000, 0)];
  for (const fragment of fragments) {
    const bytes = padEven(Buffer.from(fragment), 0);
    parts.push(itemHeader(0xe000, bytes.length), bytes);
  }
  return [...parts, itemHeader(0xe0dd, 0)];
}

function itemHeader(element: number, length: number): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(0xfffe, 0);
  header.writeUInt16LE(element, 2);
  header.writeUInt32LE(length, 4);
  return header;
}

function padEven(bytes: Buffer, pad: number): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.of(pad)]);
}
