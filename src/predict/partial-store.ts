import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { z } from 'zod';
import { sha256 } from '../core/atomic-file.ts';
import { tryLock } from '../core/lock.ts';

/** What is noted of each chunk of a store that is not whole yet. */
const noted = z.strictObject({
  id: z.string(),
  length: z.int().min(1),
  sha256: z.string(),
  presence: z.number().optional(),
});
export type NotedChunk = z.infer<typeof noted>;

/** A store that is being written, in two files that outlive the process: the chunks, and a line about each. */
export interface PartialStore {
  /** Of the chunks. */
  path: string;
  handle: FileHandle;
  note(chunk: NotedChunk): Promise<void>;
  /** Lets go of it; it stays to be taken up. */
  leave(): Promise<void>;
  /** Removes what is beside the chunks. */
  end(): Promise<void>;
}

/**
 * Opens what an earlier process left of a store, or begins one: everything up to the first chunk that is not whole counts.
 * Undefined where another process is writing it.
 * @param facts what must be the same for its chunks to be of use
 * @param take called with each chunk that is there, its bytes compared, in their order
 */
export async function openPart(
  storePath: string,
  facts: object,
  take: (note: NotedChunk, bytes: Buffer) => void,
): Promise<PartialStore | undefined> {
  const [path, notesPath, lock] = ['.part', '.part.jsonl', '.part.lock'].map((ending) => `${storePath}${ending}`) as [
    string,
    string,
    string,
  ];
  if (!(await tryLock(lock))) return undefined;
  const handle = await open(path, 'a+');
  const first = `${JSON.stringify(facts)}\n`;
  const kept = await readChunks(handle, notesPath, first, take);
  await handle.truncate(kept.reduce((sum, { length }) => sum + length, 0));
  const notes = await open(notesPath, 'w');
  await notes.appendFile(first + kept.map((note) => `${JSON.stringify(note)}\n`).join(''));
  const close = async () => {
    await notes.close();
    await rm(lock, { force: true });
  };
  return {
    path,
    handle,
    note: async (chunk) => await notes.appendFile(`${JSON.stringify(chunk)}\n`),
    leave: close,
    end: async () => {
      await rm(notesPath, { force: true });
      await close();
    },
  };
}

/** The notes of what is whole; one chunk is in memory at a time. */
async function readChunks(
  handle: FileHandle,
  notesPath: string,
  first: string,
  take: (note: NotedChunk, bytes: Buffer) => void,
): Promise<NotedChunk[]> {
  const text = await readFile(notesPath, 'utf8').catch(() => '');
  if (!text.startsWith(first)) return [];
  const kept: NotedChunk[] = [];
  let position = 0;
  // What follows the last line's end is a torn line.
  for (const line of text.slice(first.length).split('\n').slice(0, -1)) {
    const note = parseNote(line);
    if (note === undefined) break;
    const bytes = Buffer.alloc(note.length);
    const { bytesRead } = await handle.read(bytes, 0, note.length, position);
    if (bytesRead < note.length || sha256(bytes) !== note.sha256) break;
    take(note, bytes);
    kept.push(note);
    position += note.length;
  }
  return kept;
}

function parseNote(line: string): NotedChunk | undefined {
  try {
    return noted.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}
