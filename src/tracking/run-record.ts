import { messageOf } from '../core/errors.ts';
import type { JournalEntry, RunStatus } from './journal-entry.ts';

/** What a run's journal comes to, however long it is: a few numbers for each epoch. */
export interface RunRecord {
  name: string;
  /** Flattened configuration, as the run was last taken up with. */
  params: Record<string, string>;
  tags: Record<string, string>;
  /** By its last `end`; RUNNING while it has none, or was taken up again since. */
  status: RunStatus;
  /** Milliseconds since 1970: of the first line, and of the last one. */
  started: number;
  latest: number;
  /** By epoch from 1: its `val/*`, and the mean over its updates of everything else that was logged. */
  epochs: EpochRecord[];
  /** `val/*` of the checkpoint that was chosen at the end, or `cv/*` of a run of all folds; null before. */
  chosen: Record<string, number> | null;
  /** Lines that could not be read. */
  damaged: number;
}

export interface EpochRecord {
  epoch: number;
  /** What is no number (a Dice on positives without any) is left out. */
  values: Record<string, number>;
}

/** A record while it grows with its journal: as JSON it can be put away and taken up again. */
export interface GrowingRecord {
  record: RunRecord;
  /** Sum and number of what was logged by update since the last epoch, by key. */
  since: Record<string, [sum: number, count: number]>;
}

/** Of a journal that has no line yet. */
export function emptyRecord(): GrowingRecord {
  const facts = { name: '', params: {}, tags: {}, status: 'RUNNING' as const, started: 0, latest: 0 };
  return { record: { ...facts, epochs: [], chosen: null, damaged: 0 }, since: {} };
}

/**
 * Takes a journal's next line into the record. A line of metrics that is damaged is counted and passed over.
 * Throws Error where it is one that says how the run began or ended.
 */
export function takeLine(growing: GrowingRecord, line: string): void {
  try {
    takeEntry(growing, JSON.parse(line) as JournalEntry);
  } catch (cause) {
    // The writer puts `type` first.
    if (/^\{"type":"(run|end)"/.test(line)) throw new Error(messageOf(cause), { cause });
    growing.record.damaged++;
  }
}

function takeEntry(growing: GrowingRecord, entry: JournalEntry): void {
  const { record } = growing;
  record.latest = entry.time;
  switch (entry.type) {
    case 'run':
      if (record.name === '') record.started = entry.time;
      record.name = entry.name;
      record.params = entry.params;
      Object.assign(record.tags, entry.tags);
      record.status = 'RUNNING';
      return;
    case 'tags':
      Object.assign(record.tags, entry.tags);
      return;
    case 'metrics':
      takeMetrics(growing, entry);
      return;
    case 'end':
      record.status = entry.status;
      return;
  }
}

function takeMetrics(growing: GrowingRecord, { step, values }: Extract<JournalEntry, { type: 'metrics' }>): void {
  const { record, since } = growing;
  const validated: Record<string, number> = {};
  for (const [key, value] of Object.entries(values)) {
    if (typeof value !== 'number') continue;
    if (isJudged(key)) validated[key] = value;
    else {
      since[key] ??= [0, 0];
      since[key][0] += value;
      since[key][1] += 1;
    }
  }
  if (!Object.keys(values).some(isJudged)) return;
  // The chosen checkpoint's figures are logged behind the last epoch's.
  if (step > Number(record.params.epochs)) {
    record.chosen = validated;
    return;
  }
  const means = Object.entries(since).map(([key, [sum, count]]) => [key, sum / count]);
  growing.since = {};
  const last = record.epochs.at(-1);
  if (last?.epoch === step) Object.assign(last.values, validated);
  else record.epochs.push({ epoch: step, values: { ...Object.fromEntries(means), ...validated } });
}

/** Whether a figure is of a validation, rather than of an update. */
function isJudged(key: string): boolean {
  return key.startsWith('val/') || key.startsWith('cv/');
}
