import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { IMAGE_FOLDERS, IMAGE_SETS, type ImageSet } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';

/** An image file of the download, not opened yet. */
export interface ImageFile {
  /** The file's name without `.dcm`. */
  imageId: string;
  set: ImageSet;
  /** Relative to the data root, with `/`. */
  file: string;
}

const EXTENSION = '.dcm';

/**
 * Lists the `.dcm` files of every set under a data root: the trees of stage 1 at any depth and the flat folder of stage
 * 2, in the order of sets and then of paths (by code unit, the same on every machine). Hidden files are left out
 * (`._x.dcm` is what macOS leaves beside a copy). An absent folder gives no files.
 */
export async function findImages(root: string): Promise<ImageFile[]> {
  const found: ImageFile[] = [];
  for (const set of IMAGE_SETS) {
    const files = await listFiles(root, IMAGE_FOLDERS[set]);
    for (const file of files.sort(byCodeUnit)) found.push({ imageId: imageIdOf(file), set, file });
  }
  return found;
}

/** What to say when a data root holds no image: everything that was looked for. */
export async function noImages(root: string): Promise<UserError> {
  const there = await stat(root).catch(() => undefined);
  if (there === undefined) return new UserError(`There is no folder ${root}. Name the data root: \`data=<folder>\`.`);
  if (!there.isDirectory()) return new UserError(expected('a folder', 'the data root', root));
  const folders = IMAGE_SETS.map((set) => `${IMAGE_FOLDERS[set]}/`).join(', ');
  return new UserError(`No ${EXTENSION} file in ${root}: looked in its folders ${folders} at every depth.`);
}

async function listFiles(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return [];
    throw error;
  });
  const files: string[] = [];
  for (const entry of entries) {
    const path = `${folder}/${entry.name}`;
    if (entry.name.startsWith('.')) continue;
    if (entry.isDirectory()) files.push(...(await listFiles(root, path)));
    // A pipe or a device of that name would hang whoever reads it.
    else if ((entry.isFile() || entry.isSymbolicLink()) && entry.name.toLowerCase().endsWith(EXTENSION))
      files.push(path);
  }
  return files;
}

function imageIdOf(file: string): string {
  return file.slice(file.lastIndexOf('/') + 1, -EXTENSION.length);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
