import { closeSync, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { expected } from '../core/errors.ts';
import type { JournalEntry } from './journal-entry.ts';

/** An entry and where the line after it begins, in bytes from the journal's start. */
export interface JournalLine<Entry = JournalEntry> {
  entry: Entry;
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
export function readLines<Entry = JournalEntry>(path: string, offset: number, most: number): JournalLine<Entry>[] {
  const file = openSync(path, 'r');
  try {
    const left = fstatSync(file).size - offset;
    for (let size = Math.min(left, most); size > 0; size = Math.min(left, size * 4)) {
      const lines = parseLines<Entry>(readAt(file, offset, size), offset, path);
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

/**
 * Appends lines to an open file. A write may take only a part (a full disk, a signal): go on until it is whole, or the next one
 * throws. Then the part is cut off again, since another line may follow when there is room.
 */
export function writeLines(file: number, lines: string): void {
  const bytes = Buffer.from(lines);
  const { size } = fstatSync(file);
  try {
    for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
  } catch (error) {
    if (fstatSync(file).size > size) ftruncateSync(file, size);
    throw error;
  }
}

function parseLines<Entry>(bytes: Buffer, offset: number, path: string): JournalLine<Entry>[] {
  const lines: JournalLine<Entry>[] = [];
  let start = 0;
  for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
    const text = bytes.toString('utf8', start, end);
    lines.push({ entry: parseEntry<Entry>(text, path, offset + start), end: offset + end + 1 });
    start = end + 1;
  }
  return lines;
}

function parseEntry<Entry>(text: string, path: string, offset: number): Entry {
  try {
    return JSON.parse(text) as Entry;
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
