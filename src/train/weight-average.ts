import type { NamedTensors } from '../core/safetensors.ts';

/** The running mean of a network's weights over the epochs that were added. */
export interface WeightAverage {
  add(weights: NamedTensors): void;
  /** How many were added. */
  count(): number;
  /** The mean. Throws when nothing was added. */
  mean(): NamedTensors;
}

/**
 * Stochastic weight averaging (Izmailov et al., 2018, https://arxiv.org/abs/1803.05407, algorithm 1):
 * w_swa ← (w_swa·n + w)/(n + 1), in float64. Batch-norm statistics must be recomputed for the mean before it is used.
 */
export function createWeightAverage(): WeightAverage {
  const sums = new Map<string, { shape: number[]; data: Float64Array }>();
  let count = 0;
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
  };
}
