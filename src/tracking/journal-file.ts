import { closeSync, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { JournalEntry } from './journal-entry.ts';

/** An entry and where the line after it begins, in bytes from the journal's start. */
export interface JournalLine {
  entry: JournalEntry;
  end: number;
}

const NEWLINE = 10;

/** All entries of a journal up to a torn last line. Throws Error, naming the place, where a whole line is no entry. */
export function readJournal(path: string): JournalEntry[] {
  return readLines(path, 0, Number.POSITIVE_INFINITY).map((line) => line.entry);
}

/**
 * Where a run's life begins and ends, in order: the `run` and `end` lines alone are parsed, so a long journal costs
 * little. The writer puts `type` first.
 */
export function readRunStates(path: string): Extract<JournalEntry, { type: 'run' | 'end' }>[] {
  const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
  const states = lines.filter((line) => line.startsWith('{"type":"run"') || line.startsWith('{"type":"end"'));
  try {
    return states.map((line) => JSON.parse(line) as Extract<JournalEntry, { type: 'run' | 'end' }>);
  } catch (error) {
    const next = 'Move its folder out of the runs, or restore the file.';
    throw new UserError(`Expected a journal at ${path} but it is damaged: ${messageOf(error)}. ${next}`, {
      cause: error,
    });
  }
}

/**
 * The whole lines from byte `offset` on, about `most` bytes of them but always one if there is one. It reads without
 * waiting: an asynchronous read would take several turns of an event loop that training holds for a second each.
 */
export function readLines(path: string, offset: number, most: number): JournalLine[] {
  const file = openSync(path, 'r');
  try {
    const left = fstatSync(file).size - offset;
    for (let size = Math.min(left, most); size > 0; size = Math.min(left, size * 4)) {
      const lines = parseLines(readAt(file, offset, size), offset, path);
      if (lines.length > 0 || size >= left) return lines;
    }
    return [];
  } finally {
    closeSync(file);
  }
}

/** Where the last whole line of an open file of `size` bytes ends: 0 if there is none. */
export function endOfWholeLines(file: number, size: number): number {
  const block = 65536;
  for (let end = size; end > 0; end -= block) {
    const start = Math.max(0, end - block);
    const newline = readAt(file, start, end - start).lastIndexOf(NEWLINE);
    if (newline >= 0) return start + newline + 1;
  }
  return 0;
}

function parseLines(bytes: Buffer, offset: number, path: string): JournalLine[] {
  const lines: JournalLine[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const text = bytes.toString('utf8', start, end);
    lines.push({ entry: parseEntry(text, path, offset + start), end: offset + end + 1 });
    start = end + 1;
  }
  return lines;
}

function parseEntry(text: string, path: string, offset: number): JournalEntry {
  try {
    return JSON.parse(text) as JournalEntry;
  } catch (cause) {
    throw new Error(expected('a line of JSON', `${path} at byte ${offset}`, text), { cause });
  }
}

function readAt(file: number, offset: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let done = 0;
  while (done < size) {
    const count = readSync(file, bytes, done, size - done, offset + done);
    if (count === 0) return bytes.subarray(0, done);
    done += count;
  }
  return bytes;
}
