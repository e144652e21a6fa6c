/**
 * The area under the ROC curve: the probability that a positive's score is above a negative's, equal scores counting a half,
 * in [0, 1]; NaN where one of the two kinds is missing.
 * Source: Hanley and McNeil (1982), Radiology 143, by the rank sum of Mann and Whitney (1947).
 */
export function areaUnderRoc(scored: readonly { score: number; positive: boolean }[]): number {
  const sorted = [...scored].sort((a, b) => a.score - b.score);
  const positives = sorted.filter(({ positive }) => positive).length;
  const negatives = sorted.length - positives;
  let rankSum = 0;
  for (let from = 0; from < sorted.length; ) {
    let to = from;
    while (to < sorted.length && sorted[to]!.score === sorted[from]!.score) to++;
    // Ranks count from 1; equal scores share the mean of theirs.
    const rank = (from + 1 + to) / 2;
    rankSum += rank * sorted.slice(from, to).filter(({ positive }) => positive).length;
    from = to;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * negatives);
}
