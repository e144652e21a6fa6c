import { z } from 'zod';
import { createRng } from '../core/random.ts';

/** Which images an epoch sees. */
export const samplerConfig = z.strictObject({
  /** Share of the epoch's images that are positive; left out: each training image once, as they are. */
  positive_fraction: z.number().gt(0).max(1),
});
export type SamplerConfig = z.infer<typeof samplerConfig>;

/**
 * The images of one epoch in their order, as many as there are training images: a pure function of seed and epoch.
 * With a positive fraction, positives and empties are each gone through in random order, anew when they run out, so
 * the rarer kind is seen more than once.
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
