import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { IMAGE_SETS, type ImageSet } from '../core/competition.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';

/** One image file of the download. Strings are '' and numbers undefined where the file does not say. */
export interface CatalogueRow {
  /** The file's name without its ending: the competition's id. */
  imageId: string;
  set: ImageSet;
  /** Relative to the data root, with `/`; in a zip archive `<archive>.zip!/<name>`. */
  file: string;
  bytes: number;
  sha256: string;
  patientId: string;
  sex: string;
  /** Years. */
  age: number | undefined;
  view: string;
  /** `row\column` in mm, as written. */
  pixelSpacing: string;
  rows: number | undefined;
  columns: number | undefined;
  transferSyntax: string;
  /** Whether a label row names the image; without one it is unlabelled, never negative. */
  labelled: boolean;
  positive: boolean;
  /** Pixels of the union of its masks at MASK_SIZE². */
  maskArea: number;
  /** How many label rows it has. */
  rleRows: number;
  /** What is odd about it, `; ` between. */
  notes: string;
  /** Why the file cannot be used; '' when it can. */
  quarantined: string;
  /** See perceptualHash; '' where the file cannot be used or an earlier version wrote the catalogue. */
  phash: string;
}

const COLUMNS: Record<keyof CatalogueRow, string> = {
  imageId: 'image_id',
  set: 'set',
  file: 'file',
  bytes: 'bytes',
  sha256: 'sha256',
  patientId: 'patient_id',
  sex: 'sex',
  age: 'age',
  view: 'view',
  pixelSpacing: 'pixel_spacing',
  rows: 'rows',
  columns: 'columns',
  transferSyntax: 'transfer_syntax',
  labelled: 'labelled',
  positive: 'positive',
  maskArea: 'mask_area',
  rleRows: 'rle_rows',
  notes: 'notes',
  quarantined: 'quarantined',
  phash: 'phash',
};

/** Where a data root's catalogue lies. */
export function cataloguePath(root: string): string {
  return join(root, 'catalogue.csv');
}

/** Writes `<root>/catalogue.csv` in one step; booleans as 0 and 1. */
export async function writeCatalogue(root: string, rows: readonly CatalogueRow[]): Promise<void> {
  const text = stringify([...rows], {
    header: true,
    columns: Object.entries(COLUMNS).map(([key, header]) => ({ key, header })),
    cast: { boolean: (value) => (value ? '1' : '0') },
  });
  await writeFileAtomic(cataloguePath(root), text);
}

/**
 * Reads `<root>/catalogue.csv`.
 * Throws UserError where there is none (and how to make it), or naming file and line where it is not as ingest wrote it.
 */
export async function readCatalogue(root: string): Promise<CatalogueRow[]> {
  const path = cataloguePath(root);
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    const command = `Run \`npm run ingest data=${root}\` first.`;
    const received = error.code === 'ENOENT' ? 'no such file' : error.message;
    throw new UserError(expected('the catalogue of an ingested data set', path, received, command), { cause: error });
  });
  const [header = [], ...records] = split(text, path);
  const wanted = Object.values(COLUMNS).join(',');
  // Catalogues without the last column were written before it was there.
  if (header.join(',') !== wanted && `${header.join(',')},phash` !== wanted) {
    throw new UserError(
      expected(`the columns ${wanted}`, `${path}:1`, header.join(','), `Run \`npm run ingest\` again.`),
    );
  }
  return records.map((record, index) => toRow(record, `${path}:${index + 2}`));
}

function split(text: string, path: string): string[][] {
  try {
    return parse(text, {}) as string[][];
  } catch (error) {
    throw new UserError(`${path}: damaged CSV: ${messageOf(error)}`, { cause: error });
  }
}

function toRow(record: string[], where: string): CatalogueRow {
  const value = Object.fromEntries(Object.keys(COLUMNS).map((key, index) => [key, record[index] ?? ''])) as Record<
    keyof CatalogueRow,
    string
  >;
  return {
    ...value,
    set: readSet(value.set, where),
    bytes: readNumber(value.bytes, 'bytes', where) ?? 0,
    age: readNumber(value.age, 'age', where),
    rows: readNumber(value.rows, 'rows', where),
    columns: readNumber(value.columns, 'columns', where),
    labelled: value.labelled === '1',
    positive: value.positive === '1',
    maskArea: readNumber(value.maskArea, 'mask_area', where) ?? 0,
    rleRows: readNumber(value.rleRows, 'rle_rows', where) ?? 0,
  };
}

function readSet(text: string, where: string): ImageSet {
  const set = IMAGE_SETS.find((name) => name === text);
  if (set === undefined) throw new UserError(expected(IMAGE_SETS.join(', '), `set in ${where}`, text));
  return set;
}

function readNumber(text: string, name: string, where: string): number | undefined {
  if (text === '') return undefined;
  if (/^\d+$/.test(text)) return Number(text);
  throw new UserError(expected('a whole number', `${name} in ${where}`, text));
}
