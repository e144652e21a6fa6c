import { access, readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { stringify } from 'csv-stringify/sync';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { DatasetImage } from './dataset.ts';
import { writingTo } from './disk.ts';
import { checkFrozen, type FoldFacts, writeFoldsRecord } from './folds-record.ts';

export { type DrawOptions, drawFolds, type FoldImage } from './draw-folds.ts';

/** One line of a folds file: validation is `fold == data.fold`; in a hold-out 0 is held out and -1 always trains. */
export interface FoldRow {
  imageId: string;
  fold: number;
  /** '' where no patient is known. */
  patientId: string;
}

/** A fold's indices into the data set's images, ascending. */
export interface FoldSplit {
  train: number[];
  validation: number[];
  /** Labelled images that the folds file does not name: they take no part. */
  unassigned: number[];
}

const HEADER = 'image_id,fold,patient_id';

/**
 * Writes a folds file and the record that freezes it, each in one step; the folds file last, so that one of ours is
 * never without a record. Folds are drawn once: throws UserError where the file exists.
 */
export async function writeFolds(path: string, rows: readonly FoldRow[], facts: FoldFacts = {}): Promise<void> {
  await refuseExisting(path);
  const records = rows.map(({ imageId, fold, patientId }) => [imageId, fold, patientId]);
  const text = stringify([HEADER.split(','), ...records]);
  await writingTo(path, () => writeFoldsRecord(path, text, rows.length, facts));
  await writingTo(path, () => writeFileAtomic(path, text));
}

/** Throws UserError where a folds file exists already, and says how to draw anew. */
export async function refuseExisting(path: string): Promise<void> {
  const absent = await access(path).then(
    () => false,
    () => true,
  );
  if (absent) return;
  throw new UserError(
    `${path} exists, and folds that runs may have used are never drawn again. ` +
      'Draw new ones under another name (out=…), or remove the file yourself.',
  );
}

/**
 * Reads a folds file. Throws UserError naming file and line where it is not one, and where it is not as it was drawn
 * (a file without a record beside it is taken as it is).
 */
export async function readFolds(path: string): Promise<FoldRow[]> {
  const text = await readText(path);
  await checkFrozen(path, text);
  const [header = [], ...records] = splitRecords(text, path);
  if (header.join(',') !== HEADER)
    throw new UserError(expected(`the columns ${HEADER}`, `${path}:1`, header.join(',')));
  if (records.length === 0) throw new UserError(expected('at least one image', path, 'none'));
  const lines = new Map<string, number>();
  return records.map((record, index) => {
    const row = toRow(record, `${path}:${index + 2}`);
    const earlier = lines.get(row.imageId);
    lines.set(row.imageId, index + 2);
    if (earlier === undefined) return row;
    throw new UserError(
      expected('every image once', `${path}:${index + 2}`, row.imageId, `Line ${earlier} has it too.`),
    );
  });
}

/**
 * Splits a data set by a folds file: validation are the images of this fold, training all its others.
 * Throws UserError where no image is in the fold, none is left to train on, or an image is not in the data set or has
 * no label there.
 */
export function splitFold(rows: readonly FoldRow[], images: readonly DatasetImage[], fold: number): FoldSplit {
  requireFold(rows, fold);
  requireLabelled(rows, images);
  const foldOf = new Map(rows.map((row) => [row.imageId, row.fold]));
  const split: FoldSplit = { train: [], validation: [], unassigned: [] };
  for (const [index, image] of images.entries()) {
    const assigned = foldOf.get(image.id);
    if (assigned === undefined && image.truth !== undefined) split.unassigned.push(index);
    else if (assigned === fold) split.validation.push(index);
    else if (assigned !== undefined) split.train.push(index);
  }
  if (split.train.length === 0)
    throw new UserError(expected('images outside', `fold ${fold} of the folds file`, 'none'));
  return split;
}

function requireFold(rows: readonly FoldRow[], fold: number): void {
  const folds = [...new Set(rows.map((row) => row.fold))].filter((each) => each >= 0).sort((a, b) => a - b);
  if (!folds.includes(fold)) throw new UserError(expected(`one of the folds ${folds.join(', ')}`, 'data.fold', fold));
}

function requireLabelled(rows: readonly FoldRow[], images: readonly DatasetImage[]): void {
  const byId = new Map(images.map((image) => [image.id, image]));
  const refuse = (bad: readonly FoldRow[], what: string) => {
    if (bad.length === 0) return;
    const next = `It is one of ${bad.length}: the folds file and the data set do not belong together.`;
    throw new UserError(expected(what, 'the folds file', bad[0]!.imageId, next));
  };
  refuse(
    rows.filter((row) => !byId.has(row.imageId)),
    'only images of the data set',
  );
  refuse(
    rows.filter((row) => byId.get(row.imageId)?.truth === undefined),
    'only labelled images',
  );
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const next = 'Draw folds with `npm run folds`.';
    throw new UserError(expected('a folds file', path, messageOf(error), next), { cause: error });
  }
}

function splitRecords(text: string, path: string): string[][] {
  try {
    return parse(text, { relax_column_count: true }) as string[][];
  } catch (error) {
    throw new UserError(`${path}: damaged CSV: ${messageOf(error)}`, { cause: error });
  }
}

function toRow(record: string[], where: string): FoldRow {
  const [imageId = '', fold = '', patientId = ''] = record;
  if (record.length === 3 && imageId !== '' && /^(-1|\d{1,4})$/.test(fold)) {
    return { imageId, fold: Number(fold), patientId };
  }
  throw new UserError(expected('an image id, a fold (-1, 0, 1, …) and a patient id', where, record.join(',')));
}
