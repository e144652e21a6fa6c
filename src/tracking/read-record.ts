import { closeSync, fstatSync, openSync, readFileSync, readSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asideOf } from '../core/atomic-file.ts';
import { messageOf, UserError } from '../core/errors.ts';
import { JOURNAL_FILE } from './journal.ts';
import { emptyRecord, type GrowingRecord, type RunRecord, takeLine } from './run-record.ts';

/** What is kept beside a journal: the record of its first `offset` bytes, and by what it is known to be the same journal. */
interface KeptRecord {
  format: typeof FORMAT;
  offset: number;
  /** The journal's first line, which holds its start to the millisecond. */
  first: string;
  /** The last line before `offset`. */
  last: string;
  growing: GrowingRecord;
}

/** Grows whenever a record holds something else. */
const FORMAT = 2;
const KEPT_FILE = 'journal-record.json';

/** So much may be read anew each time; more than this is worth keeping. */
const WORTH_KEEPING_BYTES = 64 * 1024;

/**
 * What the journal in a run's folder comes to; undefined where it has no whole line. Journals only ever grow, so what was read once
 * is kept beside them and only what came since is read; where the kept one is not of this journal's beginning, all of it is read.
 * Throws UserError where a line that says how the run began or ended is damaged.
 */
export function readRecord(runDir: string): RunRecord | undefined {
  const path = join(runDir, JOURNAL_FILE);
  const journal = openSync(path, 'r');
  try {
    const { size } = fstatSync(journal);
    const read = (from: number, to: number) => readBytes(journal, from, to).toString('utf8');
    const kept = readKept(runDir);
    const known = kept !== undefined && isBeginning(kept, size, read) ? kept : undefined;
    const from = known?.offset ?? 0;
    const growing = known?.growing ?? emptyRecord();
    const text = read(from, size);
    const lines = text.split('\n').slice(0, -1);
    takeLines(growing, lines, path);
    const first = known?.first ?? lines[0];
    if (first === undefined) return undefined;
    const bytes = Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1));
    if (bytes > WORTH_KEEPING_BYTES) {
      keep(runDir, { format: FORMAT, offset: from + bytes, first, last: lines.at(-1)!, growing });
    }
    return growing.record;
  } finally {
    closeSync(journal);
  }
}

function takeLines(growing: GrowingRecord, lines: readonly string[], path: string): void {
  try {
    for (const line of lines) takeLine(growing, line);
  } catch (cause) {
    const next = 'Move its folder out of the runs, or restore the file.';
    throw new UserError(`Expected a journal at ${path} but it is damaged: ${messageOf(cause)}. ${next}`, { cause });
  }
}

function isBeginning(kept: KeptRecord, size: number, read: (from: number, to: number) => string): boolean {
  const { offset, first, last } = kept;
  if (size < offset) return false;
  const ends = `${last}\n`;
  return (
    read(0, Buffer.byteLength(first) + 1) === `${first}\n` && read(offset - Buffer.byteLength(ends), offset) === ends
  );
}

/** A kept record that is damaged or of another form counts as none: it is only ever a way to read less. */
function readKept(runDir: string): KeptRecord | undefined {
  try {
    const kept = JSON.parse(readFileSync(join(runDir, KEPT_FILE), 'utf8')) as KeptRecord;
    return kept.format === FORMAT ? kept : undefined;
  } catch {
    return undefined;
  }
}

/** Without waiting for the disk: what a power cut leaves of it is no JSON. Runs that may only be read keep none. */
function keep(runDir: string, kept: KeptRecord): void {
  const aside = asideOf(join(runDir, KEPT_FILE));
  try {
    writeFileSync(aside, JSON.stringify(kept));
    renameSync(aside, join(runDir, KEPT_FILE));
  } catch {
    rmSync(aside, { force: true });
  }
}

function readBytes(file: number, from: number, to: number): Buffer {
  const bytes = Buffer.allocUnsafe(Math.max(0, to - from));
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(file, bytes, done, bytes.length - done, from + done);
    if (count === 0) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
