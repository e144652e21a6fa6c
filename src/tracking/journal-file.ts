import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { expected } from '../core/errors.ts';
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
