import { z } from 'zod';
import { type LossConfig, lossConfig } from './index.ts';

const names = lossConfig.options.map((option): string => option.shape.name.value);
const TERM = /^(?:(?<weight>\d+(?:\.\d+)?)\s*[*·]\s*)?(?<name>[a-z_]+)$/;

/**
 * A weighted sum of losses as text, `3·bce + dice + 4·focal` or with `*`, each with its own defaults. Refuses text of another
 * form, names that are no loss, and weights that are not above zero.
 */
export const lossSum: z.ZodType<LossConfig[]> = z.string().transform((text, context): LossConfig[] => {
  const terms = text.split('+').map((term) => {
    const { weight = '1', name } = TERM.exec(term.trim())?.groups ?? {};
    return lossConfig.safeParse({ name, weight: Number(weight) });
  });
  const losses = terms.flatMap(({ data }) => data ?? []);
  if (losses.length === terms.length) return losses;
  context.addIssue({ code: 'custom', message: `a sum, such as 3*bce + dice, of ${names.join(', ')}` });
  return z.NEVER;
});
