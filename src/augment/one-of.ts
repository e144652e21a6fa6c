import { z } from 'zod';
import type { Rng } from '../core/random.ts';

/** A choice among steps of a schema, one level deep: a choice among choices is a longer list. */
export function oneOfConfig<Step extends z.ZodType<{ p: number }>>(step: Step) {
  return z.strictObject({
    name: z.literal('one_of'),
    /** Probability per image that any of the steps is taken. */
    p: z.number().min(0).max(1).default(0.5),
    /** Exactly one of them is taken then; their own p are the weights of the draw. */
    steps: z
      .array(step)
      .min(1)
      .refine((steps) => steps.some(({ p }) => p > 0), 'steps of which at least one has p above 0'),
  });
}

/** The step to take, for certain, or undefined: with probability p one of the steps, drawn by their own p as weights. */
export function chooseStep<Step extends { p: number }>(
  { p, steps }: { p: number; steps: readonly Step[] },
  rng: Rng,
): Step | undefined {
  if (!rng.chance(p)) return undefined;
  const weighed = steps.filter((step) => step.p > 0);
  let left = rng.uniform() * weighed.reduce((sum, step) => sum + step.p, 0);
  for (const step of weighed) {
    left -= step.p;
    if (left < 0) return { ...step, p: 1 };
  }
  // Rounding may have left a little over.
  return { ...weighed.at(-1)!, p: 1 };
}
