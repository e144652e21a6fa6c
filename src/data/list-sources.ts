import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { IMAGE_FOLDERS } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import { archivePath, openArchive } from './archive.ts';

/** A file under a data root, on disk or in a zip archive. */
export interface SourceFile {
  /** Relative to the data root, with `/`; in an archive `<archive>.zip!/<name>`. */
  file: string;
  /** Size in bytes where it lies in an archive. */
  bytes?: number;
  /** Whether it is an archive that cannot be opened: nobody knows what it holds. */
  broken: boolean;
}

/** What the harness itself writes under a data root, and what no download holds. */
const NOT_DATA = new Set(['cache', 'reports', 'node_modules', '__MACOSX']);
/** How deep folders are searched outside the competition's own: `<mirror>/<train>/<study>/<series>`, and one more. */
const DEEPEST = 5;
/** Archives lie in the root or in a folder of it. */
const DEEPEST_ARCHIVE = 1;

/**
 * Lists the files of these endings (in small letters) under a data root, in folders and in zip archives, in no
 * particular order. Hidden ones, the harness's own, and what is no ordinary file are left out; an absent root gives none.
 * Throws UserError where a folder refuses to be read.
 */
export async function listSources(root: string, endings: readonly string[]): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  const wanted = (name: string) => endings.includes(extname(name).toLowerCase());
  const walk = async (folder: string, depth: number): Promise<void> => {
    for (const entry of await readFolder(join(root, folder))) {
      const file = folder === '' ? entry.name : `${folder}/${entry.name}`;
      if (entry.name.startsWith('.') || NOT_DATA.has(entry.name)) continue;
      if (entry.isDirectory() || (depth === 0 && (await isLinkedFolder(join(root, file), entry)))) {
        if (depth < DEEPEST || isImageFolder(file)) await walk(file, depth + 1);
      }
      // A pipe or a device of that name would hang whoever reads it.
      else if (!entry.isFile() && !entry.isSymbolicLink()) continue;
      else if (wanted(entry.name)) found.push({ file, broken: false });
      else if (depth <= DEEPEST_ARCHIVE && extname(entry.name).toLowerCase() === '.zip') {
        found.push(...(await listArchive(root, file, wanted)));
      }
    }
  };
  await walk('', 0);
  return found;
}

async function readFolder(path: string) {
  return await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    // Nobody knows what is in it, so nothing can be said of the whole either.
    throw new UserError(expected('a folder that can be read', path, error.message), { cause: error });
  });
}

/** Big downloads are often linked in from another disk; deeper links could lead in circles. */
async function isLinkedFolder(path: string, entry: Dirent): Promise<boolean> {
  if (!entry.isSymbolicLink()) return false;
  return await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function listArchive(root: string, file: string, wanted: (name: string) => boolean): Promise<SourceFile[]> {
  try {
    const archive = await openArchive(join(root, file));
    archive.close();
    return [...archive.sizes]
      .filter(([name]) => wanted(name) && !name.split('/').some((part) => part.startsWith('.') || NOT_DATA.has(part)))
      .map(([name, bytes]) => ({ file: archivePath(file, name), bytes, broken: false }));
  } catch (error) {
    if (error instanceof UserError) return [{ file, broken: true }];
    throw error;
  }
}

function isImageFolder(file: string): boolean {
  return Object.values(IMAGE_FOLDERS).some((folder) => file.split('/').includes(folder));
}
