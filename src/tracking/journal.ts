import { closeSync, fstatSync, fsyncSync, ftruncateSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { DatasetEntry, JournalEntry, ModelEntry, RunStatus } from './journal-entry.ts';
import { endOfWholeLines, readJournal, writeLines } from './journal-file.ts';

export { readJournal } from './journal-file.ts';

/** What a run says about itself at its start. */
export type RunDescription = Omit<Extract<JournalEntry, { type: 'run' }>, 'type' | 'time'>;

/**
 * The append-only record of a run. Every call has written its line when it returns; `run` and `end` are on the disk by
 * then, metrics within a second. All throw where the disk refuses. Files are named relative to the run's folder.
 */
export interface Journal {
  run(description: RunDescription): void;
  /** Values at one step: `train/*` and `lr` by update, `val/*` by epoch from 1; NaN and infinities are kept. */
  metrics(values: Readonly<Record<string, number>>, step: number): void;
  tags(tags: Readonly<Record<string, string>>): void;
  /** A file and its whole path among the artifacts, name included; the file must stay as it is until the run ends. */
  artifact(file: string, artifactPath: string): void;
  /** A picture that MLflow shows under a key at a step. */
  image(file: string, key: string, step: number): void;
  /** Images that the run trains or validates on. */
  dataset(entry: DatasetEntry): void;
  /** The checkpoint to be registered; its manifest is an artifact before. */
  model(entry: ModelEntry): void;
  end(status: RunStatus): void;
  /** Everything up to now is on the disk when it returns. */
  flush(): void;
  /** Syncs what is left; safe to call twice. */
  close(): void;
}

/** The tag by which MLflow's table shows a run. */
export const NAME_TAG = 'mlflow.runName';

export const JOURNAL_FILE = 'journal.jsonl';

/** Metrics may wait this long for the disk: an fsync costs more than a small training step. */
const SYNC_EVERY_MS = 1000;

/**
 * Opens the journal of the run in `runDir`, making the folder where there is none; a torn last line is cut off first. Points,
 * pictures, files and tags that it has already are not written again: a run that is taken up goes once more through what came
 * after its last checkpoint.
 * @param heard is told of every line that is written.
 */
export async function openJournal(runDir: string, heard?: (entry: JournalEntry) => void): Promise<Journal> {
  mkdirSync(runDir, { recursive: true });
  const path = join(runDir, JOURNAL_FILE);
  const { append, flush, close } = openFile(path, heard);
  const known = knownOf(readJournal(path));
  return {
    run: (description) => {
      // A run's line sets its name in MLflow: one that it was given since has to be given again.
      known.tags.delete(NAME_TAG);
      append({ type: 'run', time: Date.now(), ...description }, true);
    },
    metrics: (values, step) => {
      const added = Object.entries(values).filter(([key]) => known.add(`${step} ${key}`));
      const written = Object.fromEntries(added.map(([key, value]) => [key, toJson(value)]));
      if (added.length > 0) append({ type: 'metrics', time: Date.now(), step, values: written }, false);
    },
    tags: (tags) => {
      const added = Object.entries(tags).filter(([key, value]) => known.tags.get(key) !== value);
      for (const [key, value] of added) known.tags.set(key, value);
      if (added.length > 0) append({ type: 'tags', time: Date.now(), tags: Object.fromEntries(added) }, false);
    },
    artifact: (file, artifactPath) => {
      if (known.add(`artifact ${artifactPath} ${file}`))
        append({ type: 'artifact', time: Date.now(), file, artifact_path: artifactPath }, false);
    },
    image: (file, key, step) => {
      if (known.add(`image ${step} ${key}`)) append({ type: 'image', time: Date.now(), file, key, step }, false);
    },
    dataset: (entry) => {
      if (known.add(textOf(entry))) append({ type: 'dataset', time: Date.now(), ...entry }, false);
    },
    model: (entry) => {
      if (known.add(`model ${entry.artifact_path}`)) append({ type: 'model', time: Date.now(), ...entry }, true);
    },
    end: (status) => append({ type: 'end', time: Date.now(), status }, true),
    flush,
    close,
  };
}

/** What a journal has, each by a text of its own, `add` saying whether it is new; and the tags as they are by now. */
function knownOf(entries: readonly JournalEntry[]) {
  const known = new Set<string>();
  const tags = new Map<string, string>();
  for (const entry of entries) {
    if (entry.type === 'run') tags.delete(NAME_TAG);
    if (entry.type === 'metrics') for (const key of Object.keys(entry.values)) known.add(`${entry.step} ${key}`);
    if (entry.type === 'tags') for (const [key, value] of Object.entries(entry.tags)) tags.set(key, value);
    if (entry.type === 'artifact') known.add(`artifact ${entry.artifact_path} ${entry.file}`);
    if (entry.type === 'model') known.add(`model ${entry.artifact_path}`);
    if (entry.type === 'dataset') known.add(textOf(entry));
    if (entry.type === 'image') known.add(`image ${entry.step} ${entry.key}`);
  }
  return {
    tags,
    add: (text: string) => {
      const size = known.size;
      return known.add(text).size > size;
    },
  };
}

/** What tells one data set's use from another. */
function textOf({ name, digest, context }: DatasetEntry): string {
  return `dataset ${context} ${digest} ${name}`;
}

function openFile(path: string, heard?: (entry: JournalEntry) => void) {
  const file = openSync(path, 'a+');
  ftruncateSync(file, endOfWholeLines(file, fstatSync(file).size));
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let synced = 0;
  let refused: unknown;
  const sync = () => {
    clearTimeout(timer);
    timer = undefined;
    fsyncSync(file);
    synced = Date.now();
  };
  /** Later than the line: what the disk says then is thrown at the next call. */
  const syncLater = () => {
    try {
      sync();
    } catch (error) {
      refused = error;
    }
  };
  const throwRefused = () => {
    if (refused === undefined) return;
    const error = refused;
    refused = undefined;
    throw error;
  };
  const append = (entry: JournalEntry, atOnce: boolean) => {
    if (closed) throw new Error(`Expected an open journal for ${entry.type} but ${path} was closed.`);
    throwRefused();
    writeLines(file, `${JSON.stringify(entry)}\n`);
    if (atOnce || Date.now() - synced >= SYNC_EVERY_MS) sync();
    else timer ??= setTimeout(syncLater, SYNC_EVERY_MS).unref();
    heard?.(entry);
  };
  const close = () => {
    if (closed) return;
    closed = true;
    try {
      throwRefused();
      sync();
    } finally {
      closeSync(file);
    }
  };
  const flush = () => {
    if (closed) return;
    throwRefused();
    sync();
  };
  return { append, flush, close };
}

/** JSON has no NaN and no infinities. */
function toJson(value: number): number | 'NaN' | 'Infinity' | '-Infinity' {
  return Number.isFinite(value) ? value : (String(value) as 'NaN' | 'Infinity' | '-Infinity');
}
