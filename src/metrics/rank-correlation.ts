/**
 * Spearman's rank correlation of two lists, in [-1, 1]: the correlation of their ranks, equal values sharing the mean of theirs. NaN
 * with fewer than three pairs, where it says nothing, and where all values of a list are equal.
 * Source: Spearman (1904), The American Journal of Psychology 15.
 */
export function rankCorrelation(first: readonly number[], second: readonly number[]): number {
  if (first.length !== second.length) throw new RangeError(`${first.length} values beside ${second.length}`);
  if (first.length < 3) return Number.NaN;
  const [a, b] = [ranksOf(first), ranksOf(second)];
  const middle = (first.length + 1) / 2;
  const product = (x: readonly number[], y: readonly number[]) =>
    x.reduce((sum, rank, place) => sum + (rank - middle) * (y[place]! - middle), 0);
  return product(a, b) / Math.sqrt(product(a, a) * product(b, b));
}

/** Ranks from 1 for the least value; equal values share the mean of theirs. */
export function ranksOf(values: readonly number[]): number[] {
  return values.map((value) => {
    const below = values.filter((other) => other < value).length;
    const equal = values.filter((other) => other === value).length;
    return below + (equal + 1) / 2;
  });
}
