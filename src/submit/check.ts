import { expected, UserError } from '../core/errors.ts';
import { type LabelRow, readLabelRows } from '../data/labels.ts';
import { readAnySubmission, type SubmissionRows } from './read-submission.ts';

/** The rows that a submission must have, in this order. */
export interface WantedRows {
  /** For messages: the sample's path. */
  name: string;
  rows: readonly { id: string; line: number }[];
}

/** How many problems are listed. */
const LISTED = 20;

/**
 * Reads a submission in any of the competition's dialects.
 * Throws one UserError naming file and line of every row that is none, and of every code that is none or leaves the image.
 */
async function readSubmission(path: string): Promise<SubmissionRows> {
  const { problems, ...submission } = await readAnySubmission(path);
  refuse(problems.map(({ sentence }) => sentence));
  return submission;
}

/** The rows that a sample submission asks for; its codes mean nothing. */
export async function readWanted(sample: string): Promise<WantedRows> {
  return { name: sample, rows: (await readLabelRows(sample)).rows };
}

/**
 * Holds a submission against the rows that it must have: the same ids in the same order, each as often, every code
 * within the image, a repeated id with one code. Throws one UserError naming file and line of each problem.
 */
export async function checkSubmission(csv: string, wanted: WantedRows): Promise<SubmissionRows> {
  const submission = await readSubmission(csv);
  const counts = findMiscounts(csv, submission.rows, wanted);
  const order = counts.length > 0 ? [] : findDisorder(csv, submission.rows, wanted);
  refuse([...counts, ...order, ...findDisagreement(csv, submission.rows)]);
  return submission;
}

/** Ids that the sample has not, and ids that are there less or more often than in the sample. */
function findMiscounts(csv: string, rows: readonly LabelRow[], { name, rows: wanted }: WantedRows): string[] {
  const found = linesById(rows);
  const asked = linesById(wanted);
  const foreign = [...found]
    .filter(([id]) => !asked.has(id))
    .map(([id, [line]]) => expected(`an image of ${name}`, `${csv}:${line}`, id));
  const miscounted = [...asked].flatMap(([id, { length, 0: line }]) => {
    const lines = found.get(id) ?? [];
    if (lines.length === length) return [];
    const where = lines.length === 0 ? csv : `${csv}:${lines.at(-1)}`;
    return [
      `${where}: Expected ${countRows(length)} for ${id} (${name}:${line}) but received ${lines.length || 'none'}.`,
    ];
  });
  return [...foreign, ...miscounted];
}

function countRows(count: number): string {
  return count === 1 ? 'one row' : `${count} rows`;
}

/** The first row that is not where the sample has it; all after it would be named too. */
function findDisorder(csv: string, rows: readonly LabelRow[], { name, rows: wanted }: WantedRows): string[] {
  const index = rows.findIndex(({ id }, place) => id !== wanted[place]!.id);
  if (index < 0) return [];
  const { id, line } = wanted[index]!;
  return [expected(`image ${id}, in the order of ${name}:${line},`, `${csv}:${rows[index]!.line}`, rows[index]!.id)];
}

/** Rows that give an image another code than its first row does. */
function findDisagreement(csv: string, rows: readonly LabelRow[]): string[] {
  const first = new Map<string, LabelRow>();
  return rows.flatMap((row) => {
    const earlier = first.get(row.id);
    if (earlier === undefined) first.set(row.id, row);
    if (earlier === undefined || earlier.rle === row.rle) return [];
    return [expected(`the code of line ${earlier.line} again (image ${row.id})`, `${csv}:${row.line}`, row.rle)];
  });
}

function linesById(rows: readonly { id: string; line: number }[]): Map<string, number[]> {
  const lines = new Map<string, number[]>();
  for (const { id, line } of rows) {
    const earlier = lines.get(id);
    if (earlier === undefined) lines.set(id, [line]);
    else earlier.push(line);
  }
  return lines;
}

function refuse(problems: readonly string[]): void {
  if (problems.length > 0) throw new UserError(listProblems(problems));
}

/** Sentences about problems, a line each: the first ones, and how many there are more. */
export function listProblems(problems: readonly string[]): string {
  const more = problems.length - LISTED;
  return (more > 0 ? [...problems.slice(0, LISTED), `… and ${more} more problems.`] : problems).join('\n');
}
