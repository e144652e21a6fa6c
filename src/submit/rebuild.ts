import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { checkSubmissionConfig, type Submission } from '../config/submission.ts';
import { sha256, sha256File, writeFileAtomic } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { Terminal } from '../core/terminal.ts';
import type { ProbabilitySource } from '../predict/probability-source.ts';
import { formatSubmission } from './build.ts';
import type { ResolvedMember } from './members.ts';
import { planSubmission, type SubmissionPlan } from './plan.ts';
import { zipFiles } from './zip.ts';

const memberOf = z.object({ run_id: z.string(), checkpoint: z.string(), checkpoint_sha256: z.string() });

/** What of a manifest says how its CSV came about. */
const recipe = z.object({
  name: z.string(),
  stage: z.union([z.literal(1), z.literal(2), z.literal('oof')]),
  stamp: z.string(),
  csv: z.object({ file: z.string(), sha256: z.string() }),
  sample: z.object({ file: z.string(), sha256: z.string() }).nullable(),
  members: z.array(memberOf.extend({ weight: z.number() })).min(1),
  gate: memberOf.optional(),
  tta: z.array(z.string()),
  postprocess: z.looseObject({ gate: z.looseObject({ run: z.string().optional() }).optional() }),
});
type Recipe = z.infer<typeof recipe>;

/** A submission that was made again. */
export interface Rebuilt {
  csv: string;
  zip: string;
  /** Which of the two were not there and are again. */
  restored: string[];
}

/**
 * Makes a submission's CSV again from its manifest alone, and holds it against the manifest's SHA-256; a CSV or zip that is no longer
 * there is put back. Throws UserError where the manifest cannot be read, where a checkpoint or the sample is not what it was,
 * and where the CSV comes out otherwise.
 */
export async function rebuildSubmission(
  manifestFile: string,
  { source, signal }: { source: ProbabilitySource; signal: AbortSignal },
  terminal: Terminal,
): Promise<Rebuilt> {
  const text = await readFile(manifestFile, 'utf8').catch((error: unknown) => {
    throw new UserError(expected('the manifest of a submission', manifestFile, messageOf(error)), { cause: error });
  });
  const made = parseRecipe(text, manifestFile);
  const plan = await planAgain(made, manifestFile, source);
  const csv = await formatSubmission(plan, { source, signal }, terminal);
  if (sha256(csv) !== made.csv.sha256) {
    const next = 'The checkpoints are the same: the code, or stored probabilities that were predicted anew, differ.';
    throw new UserError(expected(`the CSV of SHA-256 ${made.csv.sha256}`, manifestFile, sha256(csv), next));
  }
  return await restore(manifestFile, text, csv, made);
}

function parseRecipe(text: string, where: string): Recipe {
  try {
    return recipe.parse(JSON.parse(text));
  } catch (error) {
    const received = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new UserError(expected('the manifest of a submission', where, received), { cause: error });
  }
}

/** Plans it as if it had been declared by the runs' ids, and compares what it finds with what was there. */
async function planAgain(made: Recipe, where: string, source: ProbabilitySource): Promise<SubmissionPlan> {
  const submission = await declareAgain(made, where);
  const folder = await mkdtemp(join(tmpdir(), 'rebuild-'));
  try {
    const plan = await planSubmission(submission, made.stage, { source, folder, stamp: made.stamp });
    const pairs = [...plan.members.entries()].map(([place, member]) => [member, made.members[place]!] as const);
    for (const [member, before] of pairs) requireSame(member, before);
    if (plan.gate !== undefined && made.gate !== undefined) requireSame(plan.gate, made.gate);
    if (plan.sample !== undefined && (await sha256File(plan.sample)) !== made.sample?.sha256) {
      throw new UserError(expected(`the sample of SHA-256 ${made.sample?.sha256}`, where, `another ${plan.sample}`));
    }
    return plan;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function declareAgain({ name, members, gate, tta, postprocess }: Recipe, where: string): Promise<Submission> {
  const { gate: by, ...masks } = postprocess;
  const gateAgain = by === undefined ? {} : { gate: gate === undefined ? by : { ...by, run: gate.run_id } };
  const declared = {
    ...{ name, tta, postprocess: { ...masks, ...gateAgain } },
    members: members.map(({ run_id: run, checkpoint, weight }) => ({ run, checkpoint, weight })),
  };
  return await checkSubmissionConfig(declared, where);
}

function requireSame({ run }: ResolvedMember, before: z.infer<typeof memberOf>): void {
  if (run.checkpoint_sha256 === before.checkpoint_sha256) return;
  const what = `the weights of SHA-256 ${before.checkpoint_sha256}`;
  throw new UserError(expected(what, `${run.run_id}, ${before.checkpoint}`, run.checkpoint_sha256));
}

async function restore(manifestFile: string, manifest: string, csv: string, made: Recipe): Promise<Rebuilt> {
  const folder = dirname(manifestFile);
  const files = { csv: join(folder, made.csv.file), zip: join(folder, made.csv.file.replace(/\.csv$/, '.zip')) };
  const restored: string[] = [];
  if (!existsSync(files.csv)) {
    await writeFileAtomic(files.csv, csv);
    restored.push(files.csv);
  }
  if (!existsSync(files.zip)) {
    await writeFileAtomic(files.zip, await zipFiles({ [made.csv.file]: csv, [basename(manifestFile)]: manifest }));
    restored.push(files.zip);
  }
  return { ...files, restored };
}
