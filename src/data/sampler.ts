import { z } from 'zod';
import { createRng } from '../core/random.ts';

const share = z.number().gt(0).max(1);

const fixed = z.strictObject({
  /** Share of the epoch's images that are positive; 1: positives only. */
  positive_fraction: share,
});
const scheduled = z.strictObject({
  /** From the first epoch's share to the last one's, linearly over the epochs between. */
  positive_fraction: z.strictObject({ from: share, to: share }),
});

/** Which images an epoch sees; left out: each training image once, as they are. */
export type SamplerConfig = z.infer<typeof fixed>;
/** The same over all epochs of a run. */
export type SamplerPlan = SamplerConfig | z.infer<typeof scheduled>;

/** The schema of `data.sampler`: the value's form says whether the positive fraction is fixed or scheduled. */
export function samplerSchema(value: unknown): z.ZodType<SamplerPlan> {
  const fraction = (value as { positive_fraction?: unknown } | null | undefined)?.positive_fraction;
  return typeof fraction === 'object' && fraction !== null ? scheduled : fixed;
}

/** What a plan comes to in an epoch (from 0) of so many; after the last epoch it stays as it was there. */
export function samplerAt(plan: SamplerPlan | undefined, epoch: number, epochs: number): SamplerConfig | undefined {
  if (plan === undefined) return undefined;
  const fraction = plan.positive_fraction;
  if (typeof fraction === 'number') return { positive_fraction: fraction };
  const progress = epochs > 1 ? Math.min(1, epoch / (epochs - 1)) : 0;
  return { positive_fraction: fraction.from + (fraction.to - fraction.from) * progress };
}

/** Whether a plan draws empty images in any epoch; positives it always does. */
export function needsEmpties({ positive_fraction: fraction }: SamplerPlan): boolean {
  return typeof fraction === 'number' ? fraction < 1 : fraction.from < 1 || fraction.to < 1;
}

/**
 * The images of one epoch in their order, as many as there are training images: a pure function of seed and epoch.
 * With a positive fraction, positives and empties are each gone through in random order, anew when they run out, so
 * the rarer kind is seen more than once. Where there is only one kind, each image comes once.
 * @param indices the training images; `isPositive` tells one from the other
 */
export function sampleEpoch(
  indices: readonly number[],
  isPositive: (index: number) => boolean,
  { config, seed, epoch }: { config: SamplerConfig | undefined; seed: number; epoch: number },
): number[] {
  const rng = createRng(seed, 'order', epoch);
  if (config === undefined) return rng.shuffle(indices);
  const positives = indices.filter(isPositive);
  const empties = indices.filter((index) => !isPositive(index));
  if (positives.length === 0 || empties.length === 0) return rng.shuffle(indices);
  const wanted = Math.round(config.positive_fraction * indices.length);
  const draw = (from: readonly number[], count: number) => {
    const drawn: number[] = [];
    while (drawn.length < count) drawn.push(...rng.shuffle(from));
    return drawn.slice(0, count);
  };
  return rng.shuffle([...draw(positives, wanted), ...draw(empties, indices.length - wanted)]);
}
