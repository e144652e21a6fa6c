import type { DataSet } from 'dicom-parser';
import { expected, UserError } from '../core/errors.ts';
import { formatTag } from './data-set.ts';
import { type Lut, readLut } from './lut.ts';
import { readTags, type Tags } from './tags.ts';

/** What the harness reads of a DICOM header; strings are '' and numbers undefined where the tag is absent. */
export interface DicomHeader {
  transferSyntax: string;
  sopInstanceUid: string;
  patientId: string;
  sex: string;
  /** Whole years; both `38` and `038Y` are understood, months, weeks and days are rounded down. */
  age: number | undefined;
  /** PA or AP. */
  view: string;
  /** As written, `row\column` in mm: some writers exceed the 16 characters of the standard. */
  pixelSpacing: string;
  rows: number;
  columns: number;
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  samplesPerPixel: number;
  /** Whether the samples of a pixel lie in planes of their own (PS3.3, C.7.6.3.1.3). */
  planar: boolean;
  frames: number;
  photometric: string;
  /** Stored values that mean "no image here", low to high (PS3.3, C.7.5.1.1.2). */
  padding: { low: number; high: number } | undefined;
  /** Stored value to rescaled unit (PS3.3, C.11.1); 1 and 0 where absent. */
  rescale: { slope: number; intercept: number };
  /** Stands in for the rescaling (PS3.3, C.11.1.1). */
  modalityLut: Lut | undefined;
  /** The first window, if any: center and width in rescaled units, and the curve between (PS3.3, C.11.2.1.2). */
  window: VoiWindow | undefined;
  /** The first VOI LUT, if any, over rescaled units (PS3.3, C.11.2.1.1). */
  voiLut: Lut | undefined;
}

/** A window over rescaled units; where no function is named it is LINEAR. */
export interface VoiWindow {
  center: number;
  width: number;
  function: 'LINEAR' | 'LINEAR_EXACT' | 'SIGMOID';
}

/**
 * Reads the header out of a parsed data set.
 * Throws UserError naming the tag where a size is missing or impossible, a text too long, or a table incomplete.
 */
export function readHeader(dataSet: DataSet, transferSyntax: string, where: string): DicomHeader {
  const tags = readTags(dataSet, where);
  const bitsAllocated = readSize(tags, 'x00280100', 'BitsAllocated', where);
  const bitsStored = tags.uint16('x00280101') ?? bitsAllocated;
  const signed = tags.uint16('x00280103') === 1;
  return {
    transferSyntax,
    sopInstanceUid: tags.text('x00080018'),
    patientId: tags.text('x00100020'),
    sex: tags.text('x00100040'),
    age: readAge(tags.text('x00101010')),
    view: tags.text('x00185101'),
    pixelSpacing: tags.text('x00280030'),
    rows: readSize(tags, 'x00280010', 'Rows', where),
    columns: readSize(tags, 'x00280011', 'Columns', where),
    bitsAllocated,
    bitsStored,
    highBit: tags.uint16('x00280102') ?? bitsStored - 1,
    signed,
    samplesPerPixel: tags.uint16('x00280002') ?? 1,
    planar: tags.uint16('x00280006') === 1,
    frames: tags.number('x00280008') ?? 1,
    photometric: tags.text('x00280004'),
    padding: readPadding(tags, signed),
    ...readTransforms(dataSet, tags, signed, where),
  };
}

/** Whole years out of an Age String (PS3.5, VR AS: `038Y`) or a bare number as the competition writes it. */
export function readAge(text: string): number | undefined {
  const match = /^(\d{1,3})([YMWD]?)$/.exec(text.trim());
  if (match === null) return undefined;
  const perYear = { Y: 1, M: 12, W: 52, D: 365 }[match[2] || 'Y']!;
  return Math.floor(Number(match[1]) / perYear);
}

type Transforms = Pick<DicomHeader, 'rescale' | 'modalityLut' | 'window' | 'voiLut'>;

/** The input of a VOI LUT is signed where the modality's output can be negative (PS3.3, C.11.2.1.1). */
function readTransforms(dataSet: DataSet, tags: Tags, signed: boolean, where: string): Transforms {
  const rescale = { slope: tags.number('x00281053') ?? 1, intercept: tags.number('x00281052') ?? 0 };
  const modalityLut = readLut(dataSet, 'x00283000', signed, where);
  const negative = modalityLut === undefined && (signed || rescale.intercept < 0);
  return { rescale, modalityLut, window: readWindow(tags), voiLut: readLut(dataSet, 'x00283010', negative, where) };
}

function readWindow(tags: Tags): VoiWindow | undefined {
  const center = tags.number('x00281050');
  const width = tags.number('x00281051');
  const named = tags.text('x00281056');
  const curve = named === 'LINEAR_EXACT' || named === 'SIGMOID' ? named : 'LINEAR';
  const least = curve === 'LINEAR' ? 1 : Number.MIN_VALUE;
  if (center === undefined || width === undefined || width < least) return undefined;
  return { center, width, function: curve };
}

function readPadding(tags: Tags, signed: boolean): DicomHeader['padding'] {
  const read = signed ? tags.int16 : tags.uint16;
  const value = read('x00280120');
  if (value === undefined) return undefined;
  const limit = read('x00280121') ?? value;
  return { low: Math.min(value, limit), high: Math.max(value, limit) };
}

function readSize(tags: Tags, tag: string, name: string, where: string): number {
  const value = tags.uint16(tag);
  if (value !== undefined && value > 0) return value;
  throw new UserError(expected('a positive number', `${name} ${formatTag(tag)} of ${where}`, value));
}
