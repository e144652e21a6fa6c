import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { didYouMean } from '../config/nearest.ts';
import { writeFileAtomic } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';

const score = z.number().min(0).max(1);

/** What of a manifest the leaderboard reads. */
const manifest = z.object({
  name: z.string(),
  stage: z.union([z.literal(1), z.literal(2), z.literal('oof')]),
  stamp: z.string(),
  csv: z.object({ file: z.string(), sha256: z.string(), rows: z.number(), positives: z.number() }),
  members: z.array(
    z.object({
      run_id: z.string(),
      checkpoint: z.string(),
      checkpoint_id: z.string(),
      checkpoint_sha256: z.string(),
      weight: z.number(),
    }),
  ),
  /** Of all members' networks; earlier versions did not write it. */
  architecture: z.string().optional(),
  tta: z.array(z.string()),
  postprocess: z.record(z.string(), z.unknown()),
  gate: z.unknown().optional(),
  score: z.object({ dice: score }).optional(),
});

/** What Kaggle said of a submission: lies beside its manifest. */
const record = z.strictObject({
  format: z.literal(1),
  public: score.optional(),
  private: score.optional(),
  /** When it was sent from here, in ISO 8601. */
  sent: z.string().optional(),
  /** When this was written down, likewise. */
  recorded: z.string(),
});

export type SubmissionManifest = z.infer<typeof manifest>;
export type KaggleScores = Pick<z.infer<typeof record>, 'public' | 'private'>;
type KaggleRecord = Pick<z.infer<typeof record>, 'public' | 'private' | 'sent'>;

/** A submission that was built. */
export interface BuiltFiles {
  /** The files' name without their endings, which no other submission has: `20190901-101500-mine-stage2`. */
  id: string;
  folder: string;
  manifest: SubmissionManifest;
  /** What was recorded of it; empty where nothing was. */
  scores: KaggleScores;
  /** When it was sent from here, in ISO 8601; undefined where it was not. */
  sent: string | undefined;
}

const MANIFEST = '.manifest.json';
const RECORD = '.kaggle.json';

/** Every submission of a folder by its manifest, oldest first. Throws UserError where a file is damaged. */
export async function listSubmissions(folder: string): Promise<BuiltFiles[]> {
  const names = existsSync(folder) ? await readdir(folder) : [];
  const ids = names.filter((name) => name.endsWith(MANIFEST)).map((name) => name.slice(0, -MANIFEST.length));
  return await Promise.all(ids.sort().map((id) => readSubmission(folder, id)));
}

/**
 * The submission that a word means: its id, or the path of any of its files. Throws UserError with the nearest one where there is none.
 * @param folder the folder `submissions/`.
 */
export async function findSubmission(word: string, folder: string, cwd: string): Promise<BuiltFiles> {
  const id = basename(word).replace(/(\.manifest\.json|\.kaggle\.json|\.csv|\.zip)$/, '');
  const place = word === basename(word) && !existsSync(resolve(cwd, word)) ? folder : dirname(resolve(cwd, word));
  if (existsSync(join(place, `${id}${MANIFEST}`))) return await readSubmission(place, id);
  const known = (await listSubmissions(folder)).map((submission) => submission.id);
  const next = didYouMean(id, known) || (known.length === 0 ? 'None was built yet.' : 'See `npm run leaderboard`.');
  throw new UserError(expected('a submission that was built', 'the submission', word, next));
}

/** Where the CSV of a submission lies. */
export function csvPath({ folder, manifest: { csv } }: BuiltFiles): string {
  return join(folder, csv.file);
}

/** Writes down what Kaggle says, or that it was sent, over what was known before. Returns all scores that are known now. */
export async function recordScores(submission: BuiltFiles, added: KaggleRecord, now: Date): Promise<KaggleScores> {
  const { id, folder, sent } = submission;
  const known = { ...submission.scores, ...(sent === undefined ? {} : { sent }), ...added };
  const content: z.infer<typeof record> = { format: 1, ...known, recorded: now.toISOString() };
  await writeFileAtomic(join(folder, `${id}${RECORD}`), `${JSON.stringify(content, null, 2)}\n`);
  const { sent: _, ...scores } = known;
  return scores;
}

async function readSubmission(folder: string, id: string): Promise<BuiltFiles> {
  const path = join(folder, `${id}${RECORD}`);
  const known = existsSync(path) ? await readJson(path, record, 'what was recorded of a submission') : undefined;
  const { format: _, recorded: __, sent, ...scores } = known ?? { format: 1, recorded: '' };
  const read = await readJson(join(folder, `${id}${MANIFEST}`), manifest, 'a manifest');
  return { id, folder, manifest: read, scores, sent };
}

async function readJson<T>(path: string, schema: z.ZodType<T>, what: string): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    const received = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new UserError(expected(what, path, received), { cause: error });
  }
}
