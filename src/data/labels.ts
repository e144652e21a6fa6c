import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { CSV_COLUMNS } from '../core/competition.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { parseRle, type Runs, uniteRuns } from '../core/rle.ts';

/** One row of a label file, sample or submission, as written. */
export interface LabelRow {
  id: string;
  /** The run-length code, unread: `-1` or pairs of gap and length. */
  rle: string;
  /** Its line in the file, from 1. */
  line: number;
}

/** The rows of a label file in file order, ids as often as they appear. */
export interface LabelRows {
  /** How the file is written, for people: `header with a space, LF, final newline`. */
  dialect: string;
  rows: LabelRow[];
}

/** A label file with its truth: per image the union of its rows at MASK_SIZE². */
export interface Labels extends LabelRows {
  /** By image id, in order of first appearance; an empty mask is an empty Runs. */
  truth: Map<string, Runs>;
}

interface RawRecord {
  record: string[];
  info: { lines: number };
}

/**
 * Reads a label file in any of the competition's dialects (byte order mark or none, header or none, spaces after the
 * comma, CRLF or LF, final newline or none) and unites the masks of each image.
 * Throws UserError naming file and line where a row or a run-length code is wrong.
 */
export async function readLabels(path: string): Promise<Labels> {
  const { dialect, rows } = await readLabelRows(path);
  const parts = new Map<string, Runs[]>();
  for (const { id, rle, line } of rows) {
    const runs = parseRle(rle, `${path}:${line}`);
    const others = parts.get(id);
    if (others === undefined) parts.set(id, [runs]);
    else others.push(runs);
  }
  const truth = new Map<string, Runs>();
  for (const [id, runs] of parts) truth.set(id, uniteRuns(runs));
  return { dialect, rows, truth };
}

/**
 * Reads the rows of a label file, sample or submission without reading their codes.
 * Throws UserError naming file and line where a row is not an id and a code, or naming the file where it cannot be read.
 */
export async function readLabelRows(path: string): Promise<LabelRows> {
  const { damage, problems, ...read } = await readAnyRows(path);
  if (damage !== undefined) throw damage;
  if (problems.length > 0) throw new UserError(problems[0]!.sentence);
  return read;
}

/** A line that is no row, with a sentence that names it. */
export interface RowProblem {
  line: number;
  /** The image that it speaks of, where it names one. */
  id: string | undefined;
  sentence: string;
}

/**
 * The same, lines that are no rows beside those that are. A quote that nothing closes is `damage`: lines are then read one by one, and
 * such a quote is part of what is wrong with its row. Throws UserError where the file cannot be read or has no row.
 */
export async function readAnyRows(
  path: string,
): Promise<LabelRows & { problems: RowProblem[]; damage: UserError | undefined }> {
  const text = await readText(path);
  const { records, damage } = splitAnyRecords(text, path);
  const hasHeader = records[0] !== undefined && isHeader(records[0].record);
  const rows: LabelRow[] = [];
  const problems: RowProblem[] = [];
  for (const { record, info } of records.slice(hasHeader ? 1 : 0)) {
    const [id = '', rle = ''] = record;
    if (record.length === 2 && id !== '' && rle !== '') {
      rows.push({ id, rle, line: info.lines });
      continue;
    }
    const sentence = expected('an image id and its code', `${path}:${info.lines}`, record.join(','));
    problems.push({ line: info.lines, id: id === '' ? undefined : id, sentence });
  }
  if (rows.length + problems.length === 0) throw new UserError(expected('rows of image id and code', path, 'none'));
  return { dialect: describeDialect(text, hasHeader), rows, problems, damage };
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    throw new UserError(expected('a label file', path, messageOf(error)), { cause: error });
  }
}

function splitAnyRecords(text: string, path: string): { records: RawRecord[]; damage: UserError | undefined } {
  try {
    return { records: splitRecords(text, path), damage: undefined };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const records = splitRecords(text, path, false).map(({ record, info }) => {
      return { record: record.map((field) => field.replace(/^"(.*)"$/, '$1')), info };
    });
    return { records, damage: error };
  }
}

function splitRecords(text: string, path: string, quotes = true): RawRecord[] {
  try {
    return parse(text, {
      quote: quotes ? '"' : false,
      bom: true,
      info: true,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      record_delimiter: ['\r\n', '\n', '\r'],
    }) as unknown as RawRecord[];
  } catch (error) {
    throw new UserError(`${path}: damaged CSV: ${messageOf(error)}`, { cause: error });
  }
}

function isHeader(record: readonly string[]): boolean {
  return record[0]?.toLowerCase() === CSV_COLUMNS[0].toLowerCase();
}

function describeDialect(text: string, hasHeader: boolean): string {
  const [first = '', second = ''] = text.split(/\r\n|\n|\r/, 2);
  const firstRow = hasHeader ? second : first;
  return [
    text.startsWith('\uFEFF') ? 'byte order mark' : '',
    hasHeader ? `header${/,\s/.test(first) ? ' with a space' : ''}` : 'no header',
    /,\s/.test(firstRow) ? 'space before the code' : '',
    text.includes('\r\n') ? 'CRLF' : 'LF',
    /[\r\n]$/.test(text) ? '' : 'no final newline',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
