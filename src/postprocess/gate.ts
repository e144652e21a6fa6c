import { z } from 'zod';
import { MASK_SIZE } from '../core/competition.ts';
import { type Average, type MemberMap, meanProbability } from './mean-probability.ts';
import { STATISTICS, type Statistic, statisticOf } from './statistic.ts';

/** The keys of a gate that is written out; `run` and `checkpoint` are the submission's, whose members it knows. */
export const gateShape = {
  /** What is looked at: the word of presence heads, or a figure of the picture of probabilities. */
  statistic: z.enum(['presence', ...STATISTICS]).default('presence'),
  /** An image whose evidence is below this is empty. */
  threshold: z.number().positive(),
  /** Of `top_mean`: how many pixels at MASK_SIZE². */
  pixels: z
    .int()
    .min(1)
    .max(MASK_SIZE ** 2)
    .optional(),
  /** Of `sum`: only probabilities above this count. */
  above: z.number().min(0).lt(1).optional(),
};

/** Which keys a statistic needs and takes, and that a probability reaches its threshold. */
export function checkGate(gate: GateConfig, context: z.RefinementCtx): void {
  const { statistic, threshold, pixels, above } = gate;
  const refuse = (key: string, message: string) => context.addIssue({ code: 'custom', path: [key], message });
  if (statistic !== 'sum' && threshold >= 1) refuse('threshold', 'a number less than 1');
  if (statistic === 'top_mean' && pixels === undefined) refuse('pixels', 'the number of pixels that top_mean is of');
  if (statistic !== 'top_mean' && pixels !== undefined) refuse('pixels', 'statistic: top_mean');
  if (statistic !== 'sum' && above !== undefined) refuse('above', 'statistic: sum');
}

/** A gate by one number is the presence head's. */
export const presenceGateConfig = z
  .number()
  .gt(0)
  .lt(1)
  .transform((threshold): GateConfig => ({ statistic: 'presence', threshold }));

/** An image whose evidence of a mask is below a threshold is empty; left out: every image keeps its mask. */
export const gateConfig = z.union([presenceGateConfig, z.strictObject(gateShape).superRefine(checkGate)]).optional();
export type GateConfig = z.infer<z.ZodObject<typeof gateShape>>;

/** One member's word on an image: the probability that it has a mask at all, where its network has a presence head. */
export interface MemberPresence {
  /** In [0, 1]; undefined without such a head. */
  presence: number | undefined;
  /** Its share in the mean. */
  weight: number;
}

/** Whether an image keeps its mask: its evidence (see evidenceOf) is not below the gate. */
export function passesGate(
  members: readonly (MemberMap & MemberPresence)[],
  gate: GateConfig | undefined,
  size = MASK_SIZE,
  average?: Average,
): boolean {
  return gate === undefined || evidenceOf(members, gate, size, average) >= gate.threshold;
}

/** What a gate compares with its threshold. Throws Error where it asks for presence and no member has such a head. */
export function evidenceOf(
  members: readonly (MemberMap & MemberPresence)[],
  { statistic, pixels, above }: Omit<GateConfig, 'threshold'>,
  size = MASK_SIZE,
  average?: Average,
): number {
  if (statistic === 'presence') return meanPresence(members);
  return statisticOf(meanProbability(members, size, average), { name: statistic, pixels, above } as Statistic);
}

/** The weighted mean presence over the members that have a presence head, in [0, 1]. Throws Error where none has. */
export function meanPresence(members: readonly MemberPresence[]): number {
  const heard = members.filter(({ presence }) => presence !== undefined);
  if (heard.length === 0) throw new Error('Expected a member with a presence head for the gate but none has one.');
  const total = heard.reduce((sum, { weight }) => sum + weight, 0);
  return heard.reduce((sum, { presence, weight }) => sum + presence! * (weight / total), 0);
}
