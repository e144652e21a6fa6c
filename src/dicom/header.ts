import type { DataSet } from 'dicom-parser';
import { expected, UserError } from '../core/errors.ts';

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
  frames: number;
  photometric: string;
  /** The first window, if any: center and width in rescaled units (PS3.3 C.11.2.1.2). */
  window: { center: number; width: number } | undefined;
  /** Stored value to rescaled unit (PS3.3 C.11.1); 1 and 0 where absent. */
  rescale: { slope: number; intercept: number };
}

/** Reads the header out of a parsed data set. Throws UserError naming the tag where a size is missing or impossible. */
export function readHeader(dataSet: DataSet, transferSyntax: string, where: string): DicomHeader {
  const text = (tag: string) => dataSet.string(tag) ?? '';
  const bitsAllocated = readSize(dataSet, 'x00280100', 'BitsAllocated', where);
  const bitsStored = dataSet.uint16('x00280101') ?? bitsAllocated;
  return {
    transferSyntax,
    sopInstanceUid: text('x00080018'),
    patientId: text('x00100020'),
    sex: text('x00100040'),
    age: readAge(text('x00101010')),
    view: text('x00185101'),
    pixelSpacing: text('x00280030'),
    rows: readSize(dataSet, 'x00280010', 'Rows', where),
    columns: readSize(dataSet, 'x00280011', 'Columns', where),
    bitsAllocated,
    bitsStored,
    highBit: dataSet.uint16('x00280102') ?? bitsStored - 1,
    signed: dataSet.uint16('x00280103') === 1,
    samplesPerPixel: dataSet.uint16('x00280002') ?? 1,
    frames: dataSet.intString('x00280008') ?? 1,
    photometric: text('x00280004'),
    window: readWindow(dataSet),
    rescale: { slope: dataSet.floatString('x00281053') ?? 1, intercept: dataSet.floatString('x00281052') ?? 0 },
  };
}

/** Whole years out of an Age String (PS3.5, VR AS: `038Y`) or a bare number as the competition writes it. */
export function readAge(text: string): number | undefined {
  const match = /^(\d{1,3})([YMWD]?)$/.exec(text.trim());
  if (match === null) return undefined;
  const perYear = { Y: 1, M: 12, W: 52, D: 365 }[match[2] || 'Y']!;
  return Math.floor(Number(match[1]) / perYear);
}

/** `x7fe00010` as people write it: (7FE0,0010). */
export function formatTag(tag: string): string {
  return `(${tag.slice(1, 5)},${tag.slice(5, 9)})`.toUpperCase();
}

function readWindow(dataSet: DataSet): DicomHeader['window'] {
  const center = dataSet.floatString('x00281050', 0);
  const width = dataSet.floatString('x00281051', 0);
  if (center === undefined || width === undefined || !Number.isFinite(center) || !(width >= 1)) return undefined;
  return { center, width };
}

function readSize(dataSet: DataSet, tag: string, name: string, where: string): number {
  const value = dataSet.uint16(tag);
  if (value !== undefined && value > 0) return value;
  throw new UserError(expected('a positive number', `${name} ${formatTag(tag)} of ${where}`, value));
}
