/** Figures of an image's probabilities that say how much speaks for a mask. */
export const STATISTICS = ['max', 'top_mean', 'sum'] as const;

/** One of them, with what it needs. */
export type Statistic =
  | { name: 'max' }
  /** The mean of so many largest probabilities. */
  | { name: 'top_mean'; pixels: number }
  /** The sum of the probabilities above one, strictly (all of them when left out): pixels, each by its probability. */
  | { name: 'sum'; above?: number | undefined };

/** A figure of a picture of probabilities in [0, 1]: in [0, 1], and of `sum` from 0 to the number of pixels. */
export function statisticOf(mean: Float64Array, statistic: Statistic): number {
  switch (statistic.name) {
    case 'max':
      return mean.reduce((most, p) => Math.max(most, p), 0);
    case 'top_mean':
      return meanOfTop(mean, statistic.pixels);
    case 'sum':
      return mean.reduce((sum, p) => (p > (statistic.above ?? 0) ? sum + p : sum), 0);
  }
}

/** How finely probabilities are sorted into bins before the few around the last one taken are sorted. */
const BINS = 4096;

/** Bins spare sorting a million numbers: what is in the bins above the last one needed is taken whole. */
function meanOfTop(mean: Float64Array, pixels: number): number {
  const wanted = Math.min(pixels, mean.length);
  const binOf = (p: number) => Math.min(BINS - 1, Math.floor(p * BINS));
  const counts = new Int32Array(BINS);
  for (const p of mean) counts[binOf(p)] = counts[binOf(p)]! + 1;
  let last = BINS - 1;
  let above = 0;
  while (above + counts[last]! < wanted) {
    above += counts[last]!;
    last--;
  }
  let sum = 0;
  const atLast: number[] = [];
  for (const p of mean) {
    const bin = binOf(p);
    if (bin > last) sum += p;
    else if (bin === last) atLast.push(p);
  }
  const sorted = Float64Array.from(atLast).sort().reverse();
  for (const p of sorted.subarray(0, wanted - above)) sum += p;
  return sum / wanted;
}
