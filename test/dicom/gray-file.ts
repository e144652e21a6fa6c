import sharp from 'sharp';
import { type DicomElement, grayPixelElements, TRANSFER_SYNTAX, writeDicom } from '../../src/dicom/write.ts';

/** A 6×4 grey picture (columns×rows) and how to store it; the elements given replace those of the same tag. */
export interface GrayFile {
  transferSyntax?: string;
  native?: Uint8Array | Uint16Array | Int16Array;
  fragments?: Uint8Array[];
  elements?: DicomElement[];
  bitsStored?: number;
  photometric?: 'MONOCHROME1' | 'MONOCHROME2';
}

export const COLUMNS = 6;
export const ROWS = 4;
/** 0, 10, … 230, row by row. */
export const RAMP = Uint8Array.from({ length: COLUMNS * ROWS }, (_, i) => 10 * i);

/** The bytes of a small DICOM file, Explicit VR Little Endian unless told otherwise. */
export function grayFile({
  transferSyntax,
  native = RAMP,
  fragments,
  elements = [],
  ...options
}: GrayFile): Uint8Array {
  const pixels = grayPixelElements({
    rows: ROWS,
    columns: COLUMNS,
    bitsAllocated: native instanceof Uint8Array ? 8 : 16,
    signed: native instanceof Int16Array,
    ...options,
  });
  const replaced = new Set(elements.map(({ tag }) => tag));
  return writeDicom({
    transferSyntax: transferSyntax ?? TRANSFER_SYNTAX.explicitLittleEndian,
    elements: [...pixels.filter(({ tag }) => !replaced.has(tag)), ...elements],
    pixelData: fragments === undefined ? { native } : { fragments },
  });
}

/** A flat grey JPEG of the given size. */
export async function flatJpeg(width: number, height: number, value: number): Promise<Uint8Array> {
  const raw = { width, height, channels: 1 as const };
  return await sharp(new Uint8Array(width * height).fill(value), { raw })
    .toColourspace('b-w')
    .jpeg()
    .toBuffer();
}
