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
      return maxOf(mean);
    case 'top_mean':
      return meanOfTop(mean, statistic.pixels);
    case 'sum':
      return sumAbove(mean, statistic.above ?? 0);
  }
}

// Plain loops: a million pixels by a callback take ten times as long.

function maxOf(mean: Float64Array): number {
  let most = 0;
  for (let i = 0; i < mean.length; i++) if (mean[i]! > most) most = mean[i]!;
  return most;
}

function sumAbove(mean: Float64Array, above: number): number {
  let sum = 0;
  for (let i = 0; i < mean.length; i++) if (mean[i]! > above) sum += mean[i]!;
  return sum;
}

/** How finely probabilities are sorted into bins before the few around the last one taken are sorted. */
const BINS = 4096;

/** Bins spare sorting a million numbers: what is in the bins above the last one needed is taken whole. */
function meanOfTop(mean: Float64Array, pixels: number): number {
  const wanted = Math.min(pixels, mean.length);
  const last = lastBin(mean, wanted, 0.125) ?? lastBin(mean, wanted, 0)!;
  let sum = 0;
  let above = 0;
  const atLast: number[] = [];
  const [low, high] = [last / BINS, (last + 1) / BINS];
  for (let i = 0; i < mean.length; i++) {
    const p = mean[i]!;
    if (p < low) continue;
    if (p < high) atLast.push(p);
    else {
      sum += p;
      above++;
    }
  }
  const sorted = Float64Array.from(atLast).sort().reverse();
  for (const p of sorted.subarray(0, wanted - above)) sum += p;
  return sum / wanted;
}

/** The highest bin with so many pixels in it and above; undefined where fewer reach `least`, below which none is counted. */
function lastBin(mean: Float64Array, wanted: number, least: number): number | undefined {
  // One bin more, for what is 1 itself.
  const counts = new Int32Array(BINS + 1);
  for (let i = 0; i < mean.length; i++) {
    if (mean[i]! < least) continue;
    const bin = Math.floor(mean[i]! * BINS);
    counts[bin] = counts[bin]! + 1;
  }
  let reached = 0;
  for (let bin = BINS; bin >= 0; bin--) {
    reached += counts[bin]!;
    if (reached >= wanted) return bin;
  }
  return undefined;
}
