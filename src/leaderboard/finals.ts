import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256File, writeFileAtomic } from '../core/atomic-file.ts';
import { FINAL_SUBMISSIONS } from '../core/competition.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import { type BuiltFiles, csvPath, listSubmissions } from './submission-files.ts';

const final = z.strictObject({
  /** The submission's, see BuiltFiles. */
  id: z.string(),
  /** What it is, in words. */
  what: z.string(),
  csv_sha256: z.string(),
  /** The stage-1 submission whose networks have the same architecture; null where that was not asked. */
  stage1: z.string().nullable(),
});
export type Final = z.infer<typeof final>;

const finalsFile = z.strictObject({ format: z.literal(1), finals: z.array(final).max(FINAL_SUBMISSIONS) });

/** Where the marks lie. */
export function finalsPath(folder: string): string {
  return join(folder, 'finals.json');
}

/** The submissions that are marked, in the order of their marking. Throws UserError where the file is damaged. */
export async function readFinals(folder: string): Promise<Final[]> {
  const path = finalsPath(folder);
  if (!existsSync(path)) return [];
  try {
    return finalsFile.parse(JSON.parse(await readFile(path, 'utf8'))).finals;
  } catch (error) {
    throw new UserError(expected('the marks of final submissions', path, messageOf(error)), { cause: error });
  }
}

/**
 * Marks a submission as final. Throws UserError where it is not of stage 2, where its CSV is not what its manifest says, where two
 * others are marked, and where no submission of stage 1 has networks of its architecture.
 * @param stage1 the id of the submission of stage 1 to compare with; any one when left out, none at all where it is `none`
 */
export async function markFinal(
  submission: BuiltFiles,
  { folder, what, stage1 }: { folder: string; what: string | undefined; stage1: string | undefined },
): Promise<Final[]> {
  const { id, manifest } = submission;
  if (manifest.stage !== 2)
    throw new UserError(expected('a submission of stage 2', 'final', `${id}, stage ${manifest.stage}`));
  const digest = await sha256File(csvPath(submission)).catch((error: unknown) => {
    throw new UserError(expected('the CSV of the submission', id, messageOf(error)), { cause: error });
  });
  if (digest !== manifest.csv.sha256) {
    throw new UserError(expected(`the CSV that the manifest of ${id} speaks of`, csvPath(submission), 'other bytes'));
  }
  const others = (await readFinals(folder)).filter((each) => each.id !== id);
  if (others.length >= FINAL_SUBMISSIONS) {
    const named = others.map((each) => each.id).join(' and ');
    throw new UserError(
      `Expected at most ${FINAL_SUBMISSIONS} final submissions but ${named} are marked. \`npm run final ${others[0]!.id} remove=true\` takes a mark away.`,
    );
  }
  const twin = others.find((each) => each.csv_sha256 === digest);
  if (twin !== undefined)
    throw new UserError(expected('two different submissions', 'final', `the same CSV as ${twin.id}`));
  const same = stage1 === 'none' ? null : await findStage1(submission, folder, stage1);
  const finals = [...others, { id, what: what ?? describeMembers(submission), csv_sha256: digest, stage1: same }];
  await writeFinals(folder, finals);
  return finals;
}

/** Takes a mark away. Throws UserError where the submission is not marked. */
export async function unmarkFinal(id: string, folder: string): Promise<Final[]> {
  const finals = await readFinals(folder);
  const left = finals.filter((each) => each.id !== id);
  if (left.length === finals.length) throw new UserError(expected('a marked submission', 'final … remove=true', id));
  await writeFinals(folder, left);
  return left;
}

async function writeFinals(folder: string, finals: readonly Final[]): Promise<void> {
  await writeFileAtomic(finalsPath(folder), `${JSON.stringify({ format: 1, finals }, null, 2)}\n`);
}

/** The newest submission of stage 1 with the same networks: the competition lets them be retrained, not changed. */
async function findStage1(
  { id, manifest: { architecture } }: BuiltFiles,
  folder: string,
  wanted: string | undefined,
): Promise<string> {
  const all = await listSubmissions(folder);
  const asked = all.filter(
    ({ id: other, manifest }) => manifest.stage === 1 && (wanted === undefined || other === wanted),
  );
  const same = asked.findLast(({ manifest }) => architecture !== undefined && manifest.architecture === architecture);
  if (same !== undefined) return same.id;
  const received = asked.length === 0 ? 'none' : `other networks in ${asked.map((each) => each.id).join(', ')}`;
  const next = 'After stage 1 networks may be retrained but not changed; stage1=none marks it without this check.';
  throw new UserError(
    expected(`a stage-1 submission of the same architecture as ${id}`, wanted ?? folder, received, next),
  );
}

function describeMembers({ manifest: { members, tta } }: BuiltFiles): string {
  const each = members.map(({ run_id, checkpoint, weight }) => {
    return `${run_id} (${checkpoint}${members.length > 1 ? `, weight ${weight}` : ''})`;
  });
  return `${each.join(' + ')}; ${tta.join(', ')}`;
}
