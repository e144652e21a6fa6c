import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { messageOf } from '../core/errors.ts';
import { bytesField, doubleField, floatField, message, varintField } from '../engine/graph/wire.ts';
import { JOURNAL_FILE, readJournal } from './journal.ts';
import type { JournalEntry } from './journal-entry.ts';
import { frameRecord } from './record-frame.ts';

/** A run's event file: takes the journal's lines one by one; what it cannot write it warns of once, and training goes on. */
export interface EventFile {
  take(entry: JournalEntry): void;
}

/** Where a run's event files lie: `tensorboard --logdir runs` finds them. */
const FOLDER = 'tensorboard';

/**
 * Begins an event file of the run in `runDir`: a new one each time the run is taken up, which TensorBoard reads as one. The first one
 * begins with what the journal has already.
 * Sources: tensorflow/core/util/event.proto and framework/summary.proto, of which these fields are written.
 */
export function openEventFile(runDir: string, warn: (line: string) => void): EventFile {
  const folder = join(runDir, FOLDER);
  const now = Date.now();
  const file = join(folder, `events.out.tfevents.${Math.floor(now / 1000)}.${hostname()}.${process.pid}`);
  let works = true;
  const write = (event: Uint8Array) => appendFileSync(file, frameRecord(event));
  const take = (entry: JournalEntry) => {
    if (!works) return;
    try {
      const values = summarise(entry, runDir);
      // Without a field it is step 0.
      const step = 'step' in entry ? [varintField(2, entry.step)] : [];
      if (values.length > 0) write(event(entry.time, ...step, bytesField(5, message(...values))));
    } catch (error) {
      works = false;
      warn(`TensorBoard’s event file is not written any more, the run goes on: ${messageOf(error)}`);
    }
  };
  try {
    mkdirSync(folder, { recursive: true });
    const first = readdirSync(folder).length === 0;
    write(event(now, bytesField(3, 'brain.Event:2')));
    const journal = join(runDir, JOURNAL_FILE);
    if (first && existsSync(journal)) readJournal(journal).forEach(take);
  } catch (error) {
    works = false;
    warn(`TensorBoard’s event file cannot be written, the run goes on: ${messageOf(error)}`);
  }
  return { take };
}

/** Event: wall_time in seconds, and the fields of what happened. */
function event(time: number, ...fields: Uint8Array[]): Uint8Array {
  return message(doubleField(1, time / 1000), ...fields);
}

/** Summary.Value of everything in a line that TensorBoard shows. */
function summarise(entry: JournalEntry, runDir: string): Uint8Array[] {
  switch (entry.type) {
    case 'metrics':
      return Object.entries(entry.values).map(([key, value]) =>
        summaryValue(message(bytesField(1, key), floatField(2, Number(value)))),
      );
    case 'image':
      return [summaryValue(message(bytesField(1, entry.key), bytesField(4, pngImage(join(runDir, entry.file)))))];
    case 'run':
      return [summaryValue(textOf('config', paramsTable(entry.params)))];
    default:
      return [];
  }
}

function summaryValue(value: Uint8Array): Uint8Array {
  return bytesField(1, value);
}

/** Summary.Image: height, width, RGB, the file as it is. A PNG's header holds both as its first eight bytes after the chunk's name. */
function pngImage(path: string): Uint8Array {
  const png = readFileSync(path);
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  return message(varintField(1, height), varintField(2, width), varintField(3, 3), bytesField(4, png));
}

/** A scalar tensor of text (DT_STRING is 7) for TensorBoard's text plugin. */
function textOf(tag: string, text: string): Uint8Array {
  const tensor = message(varintField(1, 7), bytesField(2, message()), bytesField(8, text));
  const metadata = bytesField(1, bytesField(1, 'text'));
  return message(bytesField(1, tag), bytesField(8, tensor), bytesField(9, metadata));
}

/** Markdown, as the text plugin shows it. */
function paramsTable(params: Readonly<Record<string, string>>): string {
  const rows = Object.entries(params).map(([key, value]) => `| ${key} | ${value.replaceAll('|', '\\|')} |`);
  return ['| parameter | value |', '| --- | --- |', ...rows].join('\n');
}
