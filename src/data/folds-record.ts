import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { z } from 'zod';
import { sha256, writeFileAtomic } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { formatRle, type Runs } from '../core/rle.ts';
import type { Terminal } from '../core/terminal.ts';

const digest = z.string().regex(/^[0-9a-f]{64}$/);
const source = z.object({ file: z.string(), sha256: digest });
const facts = z.object({
  /** How the folds were drawn, as the words of `npm run folds`; without a share and a number where they were extended. */
  draw: z
    .object({
      holdout: z.number().optional(),
      k: z.number().optional(),
      group: z.enum(['patient', 'none']),
      seed: z.number(),
    })
    .optional(),
  /** Of the images' labels, see labelsDigest. */
  labels: digest.optional(),
  /** The table that told the patients, where one was given. */
  patients: source.optional(),
  /** The folds file whose lines were taken over. */
  extends: source.optional(),
  /** See Leakage. */
  leakage: z
    .object({
      patients: z.number(),
      images: z.number(),
      duplicates: z.array(z.tuple([z.string(), z.string()])).optional(),
    })
    .optional(),
});
const record = facts.extend({ format: z.literal(1), sha256: digest, images: z.number() });

/** What is known of how folds came about. */
export type FoldFacts = z.infer<typeof facts>;
/** The file beside a folds file that freezes it: its digest, and how it came about. */
export type FoldsRecord = z.infer<typeof record>;

/** Where the record of a folds file lies. */
export function foldsRecordPath(path: string): string {
  return `${path}.json`;
}

/** Writes the record of a folds file of this text in one step. */
export async function writeFoldsRecord(path: string, text: string, images: number, known: FoldFacts): Promise<void> {
  const content: FoldsRecord = { format: 1, sha256: sha256(text), images, ...known };
  await writeFileAtomic(foldsRecordPath(path), `${JSON.stringify(content, null, 2)}\n`);
}

/** The record of a folds file; undefined where there is none (a file made by hand). Throws UserError where it is damaged. */
export async function readFoldsRecord(path: string): Promise<FoldsRecord | undefined> {
  const recordPath = foldsRecordPath(path);
  const text = await readFile(recordPath, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new UserError(expected('the record of a folds file', recordPath, error.message), { cause: error });
  });
  if (text === undefined) return undefined;
  try {
    return record.parse(JSON.parse(text));
  } catch (error) {
    const received = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new UserError(expected('the record of a folds file', recordPath, received), { cause: error });
  }
}

/** Throws UserError where a folds file is not, byte for byte, what its record says that was drawn. */
export async function checkFrozen(path: string, text: string | Uint8Array): Promise<void> {
  const kept = await readFoldsRecord(path);
  const now = sha256(text);
  if (kept === undefined || kept.sha256 === now) return;
  throw new UserError(
    `${path} was changed after it was drawn: its SHA-256 is ${now.slice(0, 12)}…, and ${basename(foldsRecordPath(path))} ` +
      `says ${kept.sha256.slice(0, 12)}…. Bring the drawn file back; or, if these folds are meant, save them under another ` +
      'name without a record.',
  );
}

/**
 * SHA-256 over the labels of images, in hexadecimal: other labels, another digest. Their order plays no part.
 * @param truthOf the union of an image's label rows, or undefined where it has none.
 */
export function labelsDigest(ids: readonly string[], truthOf: (id: string) => Runs | undefined): string {
  const lines = [...ids].sort().map((id) => {
    const truth = truthOf(id);
    return `${id} ${truth === undefined ? 'unlabelled' : formatRle(truth)}`;
  });
  return sha256(lines.join('\n'));
}

/** Warns where images have other labels than those that folds were drawn with, and says where folds have no record. */
export async function compareLabels(
  path: string,
  rows: readonly { imageId: string }[],
  images: readonly { id: string; truth: Runs | undefined }[],
  terminal: Terminal,
): Promise<void> {
  const kept = await readFoldsRecord(path);
  const truth = new Map(images.map((image) => [image.id, image.truth]));
  const ids = rows.map(({ imageId }) => imageId);
  if (kept === undefined) {
    terminal.say(`${basename(path)} has no record beside it: whether it changed since it was drawn cannot be told`);
  } else if (kept.labels !== undefined && kept.labels !== labelsDigest(ids, (id) => truth.get(id))) {
    terminal.warn(
      `The labels of the images in ${basename(path)} are not those that it was drawn with: its folds may differ in positives.`,
    );
  }
}
