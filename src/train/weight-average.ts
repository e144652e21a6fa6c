import type { NamedDoubles, NamedTensors } from '../core/safetensors.ts';

/** The running mean of a network's weights over the moments at which they were added. */
export interface WeightAverage {
  add(weights: NamedTensors): void;
  /** How many were added. */
  count(): number;
  /** The mean. Throws when nothing was added. */
  mean(): NamedTensors;
  /** The sums of what was added, which with the count are all that it is; not a copy. */
  sums(): NamedDoubles;
}

/**
 * Stochastic weight averaging (Izmailov et al., 2018, https://arxiv.org/abs/1803.05407, algorithm 1):
 * w_swa ← (w_swa·n + w)/(n + 1), in float64. Batch-norm statistics must be recomputed for the mean before it is used.
 * @param from sums and count of another one, to go on from
 */
export function createWeightAverage(from?: { sums: NamedDoubles; count: number }): WeightAverage {
  const sums: NamedDoubles = new Map(from?.sums);
  let count = from?.count ?? 0;
  return {
    add: (weights) => {
      for (const [name, { shape, data }] of weights) {
        const sum = sums.get(name) ?? { shape, data: new Float64Array(data.length) };
        for (let i = 0; i < data.length; i++) sum.data[i] = sum.data[i]! + data[i]!;
        sums.set(name, sum);
      }
      count++;
    },
    count: () => count,
    mean: () => {
      if (count === 0) throw new Error('Expected weights for their average but received none.');
      return new Map(
        [...sums].map(([name, { shape, data }]) => [
          name,
          { shape, data: Float32Array.from(data, (sum) => sum / count) },
        ]),
      );
    },
    sums: () => sums,
  };
}
