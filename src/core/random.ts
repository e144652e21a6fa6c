import { createHash } from 'node:crypto';
import { uniformFloat64 } from 'pure-rand/distribution/uniformFloat64';
import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/** A stream of random numbers, always passed in and never global. */
export interface Rng {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** Uniform in [low, high). */
  between(low: number, high: number): number;
  /** Uniform integer, both ends included. */
  integer(low: number, high: number): number;
  /** Normal with mean 0 and standard deviation 1 (Box and Muller, 1958). */
  normal(): number;
  /** True with probability p. */
  chance(p: number): boolean;
  /** A new array in random order (Fisher and Yates). */
  shuffle<T>(items: readonly T[]): T[];
}

/**
 * A stream of its own for each purpose: the same seed and labels always give the same numbers,
 * other labels (an epoch, an image id) give independent ones, so no consumer disturbs another.
 */
export function createRng(seed: number, ...labels: readonly (string | number)[]): Rng {
  const generator = xoroshiro128plus(deriveSeed(seed, ...labels));
  const uniform = () => uniformFloat64(generator);
  const integer = (low: number, high: number) => uniformInt(generator, low, high);
  return {
    uniform,
    integer,
    between: (low, high) => low + (high - low) * uniform(),
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    chance: (p) => uniform() < p,
    shuffle: (items) => {
      const shuffled = [...items];
      for (let last = shuffled.length - 1; last > 0; last--) {
        const other = integer(0, last);
        [shuffled[last], shuffled[other]] = [shuffled[other]!, shuffled[last]!];
      }
      return shuffled;
    },
  };
}

/** A 31-bit seed out of a seed and labels, for whatever takes only a number (SHA-256 of `seed/label/…`). */
export function deriveSeed(seed: number, ...labels: readonly (string | number)[]): number {
  return (
    createHash('sha256')
      .update([seed, ...labels].join('/'))
      .digest()
      .readUInt32LE(0) & 0x7fffffff
  );
}
