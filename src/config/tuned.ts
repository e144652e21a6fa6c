import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { sha256 } from '../core/atomic-file.ts';
import { expected, messageOf, UserError } from '../core/errors.ts';
import type { LoadedYaml } from './load-yaml.ts';
import { isMapping } from './overrides.ts';
import { resolvePath } from './paths.ts';

/** What a submission takes from `reports/tune-….json`; the report itself holds more. */
const tunedReport = z.object({
  format: z.literal(1),
  tta: z.array(z.string()),
  members: z.array(z.object({ run: z.string(), checkpoint: z.string(), checkpoint_sha256: z.string() })).min(1),
  weights: z.array(z.number().positive()),
  postprocess: z.record(z.string(), z.unknown()),
});

/** Where a submission's post-processing was found. */
export interface TunedFrom {
  /** As written in the submission. */
  file: string;
  /** Of the file. */
  sha256: string;
  /** Of the weights of each member's checkpoint, in the order of the members. */
  checkpoints: string[];
  tta: string[];
}

/**
 * Puts what was tuned in the place of `postprocess: { from: <report> }`: other keys of `postprocess` are laid over it, and
 * where the members are the report's, in its order and without weights of their own, they get its weights. A file without
 * `from` is given back as it is. Throws UserError where the report cannot be read.
 */
export function applyTuned(source: LoadedYaml, cwd: string | undefined): { source: LoadedYaml; tuned?: TunedFrom } {
  const { value } = source;
  if (!isMapping(value) || !isMapping(value.postprocess) || value.postprocess.from === undefined) return { source };
  const { from, ...byHand } = value.postprocess;
  const where = `${source.locate(['postprocess', 'from'])}: postprocess.from`;
  if (typeof from !== 'string') throw new UserError(expected('the path of a tuning report', where, from));
  const { report, digest } = readReport(from, resolvePath(from, cwd), where);
  const members = giveWeights(value.members, report);
  const tuned = {
    ...{ file: from, sha256: digest, tta: report.tta },
    checkpoints: report.members.map(({ checkpoint_sha256 }) => checkpoint_sha256),
  };
  const applied = { ...value, members, postprocess: { ...report.postprocess, ...byHand } };
  return { source: { ...source, value: applied }, tuned };
}

/** The same file as if it had no `from`: for who is about to find what it would bring. */
export function withoutTuned(source: LoadedYaml): LoadedYaml {
  const { value } = source;
  if (!isMapping(value) || !isMapping(value.postprocess)) return source;
  const { from: _, ...postprocess } = value.postprocess;
  return { ...source, value: { ...value, postprocess } };
}

function readReport(from: string, path: string, where: string) {
  try {
    const bytes = readFileSync(path);
    return { report: tunedReport.parse(JSON.parse(bytes.toString('utf8'))), digest: sha256(bytes) };
  } catch (error) {
    const next = 'Make one with `npm run tune <submission.yml>`.';
    throw new UserError(`${expected('a tuning report', where, from)} ${messageOf(error)}. ${next}`, { cause: error });
  }
}

function giveWeights(members: unknown, { members: known, weights }: z.infer<typeof tunedReport>): unknown {
  if (!Array.isArray(members) || members.length !== known.length) return members;
  const isKnown = members.every((member, place) => {
    if (!isMapping(member) || member.weight !== undefined) return false;
    const { run, checkpoint } = known[place]!;
    return member.run === run && (member.checkpoint ?? 'best-dice') === checkpoint;
  });
  return isKnown ? members.map((member, place) => ({ ...member, weight: weights[place] })) : members;
}
