import { readFileSync, statSync } from 'node:fs';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { type Archive, openArchive, splitArchivePath } from './archive.ts';

/** No radiograph or mask comes near; a file beyond it is refused before a byte of memory is taken. */
const MOST_BYTES = 256 * 2 ** 20;

/** Archives that this thread reads from stay open: the list of a download's twelve thousand files is read once. */
const open = new Map<string, Promise<Archive>>();

/**
 * The bytes of a source file, on disk or in a zip archive (`….zip!/name`).
 * Throws UserError where it is not there, cannot be read or is larger than any radiograph.
 * @param file what it is called in messages.
 */
export async function readSource(path: string, file: string): Promise<Uint8Array> {
  const inside = splitArchivePath(path);
  if (inside !== undefined) {
    const archive = await archiveAt(inside.archive);
    requireSize(archive.sizes.get(inside.name) ?? 0, file);
    return await archive.read(inside.name);
  }
  try {
    // Without giving the thread away: one waiting file after the other costs more than reading does.
    requireSize(statSync(path).size, file);
    return readFileSync(path);
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`${file}: cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

/** Closes the archives that were read from; a thread that ends may leave that to its end. */
export async function closeSources(): Promise<void> {
  const archives = await Promise.allSettled(open.values());
  open.clear();
  for (const archive of archives) if (archive.status === 'fulfilled') archive.value.close();
}

function archiveAt(path: string): Promise<Archive> {
  const there = open.get(path) ?? openArchive(path);
  open.set(path, there);
  return there;
}

function requireSize(bytes: number, file: string): void {
  if (bytes <= MOST_BYTES) return;
  throw new UserError(expected(`at most ${MOST_BYTES} bytes`, file, `${bytes} bytes`, 'This is no radiograph.'));
}
