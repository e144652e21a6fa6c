import { z } from 'zod';
import { expected } from '../core/errors.ts';
import { CHECKPOINT_NAMES } from '../models/checkpoint.ts';
import { checkGate, gateShape, presenceGateConfig } from '../postprocess/gate.ts';
import { postprocessShape } from '../postprocess/index.ts';
import type { Problem } from './describe-problem.ts';
import { type CheckedParts, type ConfigOf, required, withDefault } from './keys.ts';
import { loadConfig } from './load-config.ts';
import { loadYaml } from './load-yaml.ts';
import { type TtaView, ttaConfig } from './tta.ts';
import { applyTuned, type TunedFrom, withoutTuned } from './tuned.ts';

/** One checkpoint of an ensemble. */
export const memberConfig = z.strictObject({
  /** A run id, an MLflow run id, or a name that one finished run has. */
  run: z.string().min(1),
  checkpoint: z.enum(CHECKPOINT_NAMES).default('best-dice'),
  /** Its share in the mean of probabilities; only proportions count. */
  weight: z.number().positive().default(1),
});
export type SubmissionMember = z.infer<typeof memberConfig>;

/** A gate of a submission: its members' evidence, or that of another run, which is predicted beside them. */
const submissionGate = z.union([
  presenceGateConfig,
  z
    .strictObject({
      ...gateShape,
      run: z.string().min(1).optional(),
      checkpoint: z.enum(CHECKPOINT_NAMES).optional(),
    })
    .superRefine((gate, context) => {
      checkGate(gate, context);
      if (gate.run !== undefined || gate.checkpoint === undefined) return;
      context.addIssue({ code: 'custom', path: ['run'], message: 'the run whose checkpoint it is' });
    }),
]);

const submissionPostprocess = z.strictObject({ ...postprocessShape, gate: submissionGate.optional() });
export type SubmissionPostprocess = z.infer<typeof submissionPostprocess>;

/** Every key of `submissions/*.yml`; docs/reference/submission.md describes them at length. */
export const submissionKeys = {
  name: required(
    'Names the files that are written.',
    z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$/, 'up to 80 letters, digits and . _ - (first a letter or digit)'),
  ),
  members: required('The checkpoints whose probabilities are averaged.', z.array(memberConfig).min(1)),
  tta: withDefault<TtaView[]>('Views of each image whose predictions are averaged.', ttaConfig, ['none']),
  postprocess: withDefault('How probabilities become a mask.', submissionPostprocess, submissionPostprocess.parse({})),
};

/** A checked submission. */
export type Submission = ConfigOf<typeof submissionKeys> & {
  /** Where `postprocess.from` took its values from; left out without it. */
  tuned?: TunedFrom;
};

/**
 * Reads a submission, `key=value` words laid over its file and both over what `postprocess.from` names, and checks all of it.
 * Throws one UserError that lists every problem with its place.
 */
export async function parseSubmission(
  file: string,
  overrides: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Submission> {
  const { source, tuned } = applyTuned(loadYaml(file, overrides, cwd), cwd);
  const submission = await loadConfig(submissionKeys, source, checkMembers);
  return { ...submission, ...(tuned === undefined ? {} : { tuned }) };
}

/** Checks a submission that is in memory; `where` is what problems name. */
export async function checkSubmissionConfig(value: unknown, where: string): Promise<Submission> {
  return await loadConfig(submissionKeys, { value, locate: () => where }, checkMembers);
}

/** Reads a submission as parseSubmission does, `postprocess.from` left aside: what it names may not have been made yet. */
export async function parseUntuned(
  file: string,
  overrides: Readonly<Record<string, string>> = {},
  cwd?: string,
): Promise<Submission> {
  return await loadConfig(submissionKeys, withoutTuned(loadYaml(file, overrides, cwd)), checkMembers);
}

/** The run that a gate looks at, where it is none of the members'. */
export function gateMember({ postprocess: { gate } }: Pick<Submission, 'postprocess'>): SubmissionMember | undefined {
  if (gate === undefined || !('run' in gate) || gate.run === undefined) return undefined;
  return memberConfig.parse({ run: gate.run, checkpoint: gate.checkpoint });
}

/** The same checkpoint twice is a slip: whoever wants it to count double gives it a weight. */
function checkMembers({ members = [] }: CheckedParts<typeof submissionKeys>): Problem[] {
  return members.flatMap((member, index) => {
    const earlier = members.findIndex((other) => other.run === member.run && other.checkpoint === member.checkpoint);
    if (earlier === index) return [];
    const next = `It is members.${earlier} already; weight makes it count more.`;
    return [{ path: ['members', index], sentence: expected('each member once', `members.${index}`, member, next) }];
  });
}
