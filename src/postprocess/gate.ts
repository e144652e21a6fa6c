import { z } from 'zod';

/** An image whose probability of having a mask is below this is empty; left out: every image keeps its mask. */
export const gateConfig = z.number().gt(0).lt(1).optional();

/** One member's word on an image: the probability that it has a mask at all, where its network has a presence head. */
export interface MemberPresence {
  /** In [0, 1]; undefined without such a head. */
  presence: number | undefined;
  /** Its share in the mean. */
  weight: number;
}

/**
 * Whether an image keeps its mask: the weighted mean presence over the members that have a presence head is not below the gate.
 * Throws Error where there is a gate and no member has one.
 */
export function passesGate(members: readonly MemberPresence[], gate: number | undefined): boolean {
  if (gate === undefined) return true;
  const heard = members.filter(({ presence }) => presence !== undefined);
  if (heard.length === 0) throw new Error('Expected a member with a presence head for the gate but none has one.');
  const total = heard.reduce((sum, { weight }) => sum + weight, 0);
  return heard.reduce((sum, { presence, weight }) => sum + presence! * (weight / total), 0) >= gate;
}
