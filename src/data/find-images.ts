import { stat } from 'node:fs/promises';
import { basename, dirname, extname } from 'node:path/posix';
import { IMAGE_FOLDERS, IMAGE_SETS, type ImageSet, LABEL_FILES, STAGE_FILES } from '../core/competition.ts';
import { expected, UserError } from '../core/errors.ts';
import { splitArchivePath } from './archive.ts';
import { listSources, type SourceFile } from './list-sources.ts';

/** An image file of the download, not opened yet. */
export interface ImageFile {
  /** The file's name without its ending. */
  imageId: string;
  set: ImageSet;
  /** Relative to the data root, with `/`; in a zip archive `<archive>.zip!/<name>`. */
  file: string;
  /** Size in bytes where it lies in an archive. */
  bytes?: number;
}

/** Everything of a download that ingest reads. */
export interface Sources {
  /** In the order of sets and then of paths (by code unit, the same on every machine). */
  images: ImageFile[];
  /** Mask pictures by image id. */
  masks: Map<string, string>;
  /** Label files and samples by their names, each where it lies: nearest to the root first, unpacked before packed. */
  tables: Map<string, string>;
  /** How many packed images were left out because the same image lies there unpacked. */
  unpacked: number;
}

const DICOM = ['.dcm'];
const PICTURES = ['.png', '.jpg', '.jpeg'];
const TABLES = [...Object.values(LABEL_FILES), ...Object.values(STAGE_FILES).map(({ sample }) => sample)];
const MASK_FOLDER = /^((png|train)_)?masks?$/i;

/**
 * Finds images, masks and tables under a data root, whatever its form: the trees of stage 1, the flat folder of stage
 * 2, other folders of `.dcm` files, pictures with a `masks/` folder beside theirs, and all of these in zip archives.
 * Hidden files are left out (`._x.dcm` is what macOS leaves beside a copy). An absent root gives nothing.
 */
export async function findSources(root: string): Promise<Sources> {
  const files = await listSources(root, [...DICOM, ...PICTURES, '.csv']);
  const pictureFolders = foldersOfPictures(files);
  const images: ImageFile[] = [];
  const masks = new Map<string, string>();
  for (const { file, bytes, broken } of files) {
    const folder = dirname(file);
    const size = bytes === undefined ? {} : { bytes };
    if (broken) images.push({ imageId: basename(file), set: 'stage1-train', file });
    else if (isOf(file, DICOM)) images.push({ imageId: nameOf(file), set: setOf(file), file, ...size });
    else if (!isOf(file, PICTURES)) continue;
    else if (MASK_FOLDER.test(basename(folder))) masks.set(nameOf(file).replace(/_mask$/, ''), file);
    else if (pictureFolders.has(folder)) images.push({ imageId: nameOf(file), set: setOf(file), file, ...size });
  }
  const kept = withoutPackedTwins(images);
  return { images: kept.sort(bySetAndPath), masks, tables: findTables(files), unpacked: images.length - kept.length };
}

/** The images of `findSources`. */
export async function findImages(root: string): Promise<ImageFile[]> {
  return (await findSources(root)).images;
}

/** What to say when a data root holds no image: everything that was looked for. */
export async function noImages(root: string): Promise<UserError> {
  const there = await stat(root).catch(() => undefined);
  if (there === undefined) return new UserError(`There is no folder ${root}. Name the data root: \`data=<folder>\`.`);
  if (!there.isDirectory()) {
    const next = root.endsWith('.zip') ? 'Name the folder that the archive lies in; it is read without unpacking.' : '';
    return new UserError(expected('a folder', 'the data root', root, next));
  }
  const folders = IMAGE_SETS.map((set) => `${IMAGE_FOLDERS[set]}/`).join(', ');
  return new UserError(
    `No .dcm file in ${root}: looked in its folders ${folders} at every depth, in its other folders, ` +
      'in zip archives (but not in those inside others), and for pictures with a folder masks/ beside theirs.',
  );
}

/** Folders that have a `masks/` beside them or, where nothing is DICOM, a label file. */
function foldersOfPictures(files: readonly SourceFile[]): Set<string> {
  const anyDicom = files.some(({ file }) => isOf(file, DICOM));
  const parents = new Set<string>();
  for (const { file } of files) {
    const folder = dirname(file);
    if (isOf(file, PICTURES) && MASK_FOLDER.test(basename(folder))) parents.add(dirname(folder));
    if (!anyDicom && TABLES.includes(basename(file))) parents.add(folder);
  }
  const folders = files.filter(({ file }) => isOf(file, PICTURES)).map(({ file }) => dirname(file));
  return new Set(folders.filter((folder) => parents.has(dirname(folder)) && !MASK_FOLDER.test(basename(folder))));
}

/** By the folders of the competition, else by what stage 2's ids and other people's folders are called. */
function setOf(file: string): ImageSet {
  const folders = dirname(file).split('/');
  const known = IMAGE_SETS.find((set) => folders.includes(IMAGE_FOLDERS[set]));
  if (known !== undefined) return known;
  if (nameOf(file).startsWith('ID_')) return 'stage2-test';
  return folders.some((folder) => /(^|[_-])test([_-]|$)/i.test(folder)) ? 'stage1-test' : 'stage1-train';
}

/** A download is often left beside what was unpacked from it. */
function withoutPackedTwins(images: readonly ImageFile[]): ImageFile[] {
  const unpacked = new Set(images.filter(({ file }) => !isPacked(file)).map(({ imageId }) => imageId));
  return images.filter(({ imageId, file }) => !isPacked(file) || !unpacked.has(imageId));
}

function findTables(files: readonly SourceFile[]): Map<string, string> {
  const tables = new Map<string, string>();
  const depth = (file: string) => file.split('/').length + (isPacked(file) ? 1000 : 0);
  const found = files.filter(({ file, broken }) => !broken && TABLES.includes(basename(file)));
  for (const { file } of found.sort((a, b) => depth(a.file) - depth(b.file) || byCodeUnit(a.file, b.file))) {
    if (!tables.has(basename(file))) tables.set(basename(file), file);
  }
  return tables;
}

function isPacked(file: string): boolean {
  return splitArchivePath(file) !== undefined;
}

function isOf(file: string, endings: readonly string[]): boolean {
  return endings.includes(extname(file).toLowerCase());
}

function nameOf(file: string): string {
  return basename(file).slice(0, -extname(file).length);
}

function bySetAndPath(a: ImageFile, b: ImageFile): number {
  return IMAGE_SETS.indexOf(a.set) - IMAGE_SETS.indexOf(b.set) || byCodeUnit(a.file, b.file);
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
